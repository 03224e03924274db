// MarkTable: keeps in a table how far the rows of a source have settled. One write at a time; what
// settles meanwhile is written by the next.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/sources/turns.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace millrace::actors {

/// Used in the turns of its owner only.
class MarkTable {
public:
  struct Key {
    std::string pipeline;
    std::string source;
  };

  MarkTable(std::string table, Key key, DatabaseHandle database, std::shared_ptr<Turns> turns,
            sdk::Log& log);

  /// Calls `done` with the mark that stands there. Where none does, `initial` is written first; the
  /// table is made where there is none.
  void load(sdk::Value initial, std::function<void(sdk::Result<sdk::Value>)> done);

  /// Writes it in the background, again and again where the database is not there.
  void advance(sdk::Value mark);

  /// Calls `done` when there is nothing more to write, or it could not be written.
  void flush(std::function<void()> done);

private:
  using Done = std::function<void(sdk::Result<sdk::SqlResult>)>;

  void read(std::function<void(sdk::Result<sdk::Value>)> done, bool may_create);
  void create(std::function<void(sdk::Result<sdk::Value>)> done);
  void write();
  void run(std::string sql, sdk::Parameters parameters, Done done);

  std::string table_;
  Key key_;
  DatabaseHandle database_;
  std::shared_ptr<Turns> turns_;
  sdk::Log& log_;
  sdk::Value initial_;
  std::optional<sdk::Value> wanted_;  // not yet written
  bool writing_ = false;
  std::uint32_t failures_ = 0;  // in a row
  std::function<void()> flushed_;
};

}  // namespace millrace::actors
