// Cursor: what a RowStream stands on. In a transaction of its own, or in that of its connector.
#pragma once

#include "connectors/postgres/client/client.hpp"
#include "connectors/postgres/client/row_stream.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace millrace::postgres {

/// Thread-safe.
class Cursor : public std::enable_shared_from_this<Cursor> {
public:
  using Done = std::function<void(sdk::Result<sdk::Value>)>;

  Cursor(std::shared_ptr<Client> client, StreamOptions options);
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor();

  /// Declares it. @returns through `done` what is wrong with the statement.
  void open(sdk::Statement statement, sdk::StatusCallback done);

  void next(Done done);

  const std::shared_ptr<Client>& client() const noexcept { return client_; }

private:
  bool is_open() const;
  void declare(sdk::Statement statement, const sdk::StatusCallback& done);
  void fetch();
  void take(sdk::Result<sdk::SqlResult> result);

  std::shared_ptr<Client> client_;
  StreamOptions options_;
  bool owns_transaction_ = false;
  std::weak_ptr<const ClientSession> transaction_;  // the caller's that it is a part of
  std::string name_;
  std::mutex mutex_;
  std::deque<sdk::Result<sdk::Value>> chunks_;  // fetched, not asked for yet
  Done waiting_;
  bool declared_ = false;
  bool fetching_ = false;
  bool at_end_ = false;
};

}  // namespace millrace::postgres
