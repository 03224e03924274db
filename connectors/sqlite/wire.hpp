// The Wire of SQLite: a session on a thread of its own, since the library blocks.
#pragma once

#include "connectors/sdk/database.hpp"

#include <memory>
#include <thread>

namespace millrace::sqlite {

class SqliteWire final : public sdk::Wire {
public:
  SqliteWire(const sdk::DatabaseSettings& settings, sdk::WireEvents events);
  SqliteWire(const SqliteWire&) = delete;
  SqliteWire& operator=(const SqliteWire&) = delete;
  ~SqliteWire() override;

  void connect() override;
  void send(std::vector<sdk::WireEntry> entries) override;
  void cancel() override;
  void close() override;

private:
  struct State;

  std::shared_ptr<State> state_;  // shared with the thread
  std::thread thread_;
};

}  // namespace millrace::sqlite
