// Session: one open SQLite database and its prepared statements, with the transaction rules that
// every driver here shares: after a failure inside a transaction nothing runs until it is rolled
// back. Blocks; it belongs to one thread, but for `interrupt`.
#pragma once

#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/lru_cache.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/row_stream.hpp"
#include "connectors/sdk/secret.hpp"
#include "connectors/sdk/statement.hpp"
#include "connectors/sqlite/codec.hpp"
#include "connectors/sqlite/write_turns.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace millrace::sqlite {

class Session {
public:
  explicit Session(const sdk::DatabaseSettings& settings);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  /// Opens the file and looks whether it is a database.
  sdk::Status open();

  /// Runs the statement with one of its parameter sets.
  sdk::Result<sdk::SqlResult> run(const std::shared_ptr<const sdk::Statement>& statement,
                                  std::uint32_t set);

  /// Runs text of ours without parameters.
  sdk::Status run_plain(const char* sql);

  bool in_transaction() const noexcept;

  /// While it is on, a turn to write that was taken is kept: handing it over costs more than a
  /// statement.
  void keep_turn(bool on) noexcept;

  /// Makes the statement that runs now end soon. From any thread.
  void interrupt() noexcept { interrupted_ = true; }

  /// The same for every statement from now on. From any thread.
  void stop() noexcept;

private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };

  struct Prepared {
    std::unique_ptr<sqlite3_stmt, Finalizer> statement;
    ColumnPlan columns;
    std::string word;  // the first keyword, in capitals
    std::shared_ptr<const std::string> sql;
    bool read_only = false;
  };

  struct Closer {
    void operator()(sqlite3* connection) const noexcept;
  };

  sdk::Result<Prepared*> prepare(const std::string& sql);
  sdk::Result<sdk::SqlResult> step(Prepared& prepared, const sdk::Parameters& parameters,
                                   const std::shared_ptr<sdk::RowStream>& stream = nullptr);
  bool push(sdk::RowStream& stream, sdk::SqlResult& result);
  void set_stream(std::shared_ptr<sdk::RowStream> stream);
  sdk::Result<sdk::SqlResult> run_bulk(const sdk::BulkRows& bulk);
  sdk::Result<sdk::SqlResult> guarded(Prepared& prepared, const sdk::Statement& statement,
                                      std::uint32_t set);
  void note_transaction(const Prepared& prepared, bool succeeded);
  sdk::Status take_turn();
  void end_turn() noexcept;
  bool out_of_time() const noexcept;
  static int on_busy(void* self, int attempt) noexcept;
  static int on_progress(void* self) noexcept;

  const sdk::Text path_;
  const std::string mode_;
  const std::chrono::milliseconds busy_timeout_;
  const std::chrono::milliseconds statement_timeout_;
  std::shared_ptr<WriteTurns> turns_;  // null: nobody else can have the database
  bool has_turn_ = false;
  bool keeps_turn_ = false;
  std::unique_ptr<sqlite3, Closer> connection_;
  sdk::LruCache<Prepared> statements_;
  Prepared uncached_;
  std::chrono::steady_clock::time_point deadline_;
  std::atomic<bool> interrupted_ = false;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::shared_ptr<sdk::RowStream> stream_;  // that the statement under way fills
  bool in_transaction_ = false;             // begun and not ended by the caller
  bool failed_ = false;                     // a statement of that transaction failed
};

}  // namespace millrace::sqlite
