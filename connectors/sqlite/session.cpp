#include "connectors/sqlite/session.hpp"

#include "connectors/sdk/bulk.hpp"
#include "connectors/sqlite/errors.hpp"
#include "connectors/sqlite/keywords.hpp"
#include "connectors/sqlite/ready_result.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <thread>
#include <utility>

namespace millrace::sqlite {

namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

constexpr int progress_steps = 4096;  // virtual machine instructions between two looks at the clock

std::string parameter(const sdk::DatabaseSettings& settings, std::string_view name) {
  for (const auto& [key, value] : settings.parameters) {
    if (key == name)
      return value;
  }
  return {};
}

std::chrono::milliseconds busy_timeout(const sdk::DatabaseSettings& settings) {
  const auto text = parameter(settings, "busy_timeout");
  int value = 5000;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return std::chrono::milliseconds{std::max(0, value)};
}

std::string insert_sql(const sdk::BulkRows& bulk) {
  std::string columns;
  std::string places;
  for (const auto& column : bulk.columns) {
    columns.append(columns.empty() ? "" : ", ").append(column);
    places.append(places.empty() ? "?" : ", ?");
  }
  return "INSERT INTO " + bulk.table + " (" + columns + ") VALUES (" + places + ")";
}

sdk::Error transaction_failed() {
  return {ErrorKind::transaction,
          "the transaction has failed, and takes no more statements until it is rolled back",
          {.hint = "roll back, or roll back to a savepoint", .code = "25P02"}};
}

}  // namespace

void Session::Finalizer::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Session::Closer::operator()(sqlite3* connection) const noexcept {
  sqlite3_close_v2(connection);
}

Session::Session(const sdk::DatabaseSettings& settings)
  : path_{settings.dbname, settings.secret_address},
    mode_{parameter(settings, "mode")},
    busy_timeout_{busy_timeout(settings)},
    statement_timeout_{settings.statement_timeout},
    turns_{path_.reveal() == ":memory:" ? nullptr : WriteTurns::of(path_.reveal())},
    statements_{settings.statement_cache} {
}

Session::~Session() {
  // Statements go before the connection that they belong to, and its lock before the turn.
  statements_.clear();
  uncached_ = {};
  connection_.reset();
  if (has_turn_)
    turns_->done();
}

// Before anything that takes the write lock.
sdk::Status Session::take_turn() {
  if (has_turn_ || !turns_)
    return {};
  const auto limit = std::chrono::steady_clock::now() + busy_timeout_;
  has_turn_ = turns_->wait(
    [this, limit] { return out_of_time() || std::chrono::steady_clock::now() >= limit; });
  if (!has_turn_)
    return to_error(SQLITE_BUSY, sqlite3_errstr(SQLITE_BUSY));
  return {};
}

void Session::keep_turn(bool on) noexcept {
  keeps_turn_ = on;
  end_turn();
}

// Behind everything that may have given the write lock back.
void Session::end_turn() noexcept {
  if (has_turn_ && !keeps_turn_ && sqlite3_get_autocommit(connection_.get()) != 0) {
    has_turn_ = false;
    turns_->done();
  }
}

sdk::Status Session::open() {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (mode_ == "ro")
    flags |= SQLITE_OPEN_READONLY;
  else
    flags |= SQLITE_OPEN_READWRITE | (mode_ == "rw" ? 0 : SQLITE_OPEN_CREATE);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path_.reveal().c_str(), &raw, flags, nullptr);
  connection_.reset(raw);
  if (code != SQLITE_OK)
    return to_error(code,
                    "cannot open the database file " + path_.shown() + ": " + sqlite3_errstr(code));
  sqlite3_busy_handler(raw, &Session::on_busy, this);
  sqlite3_progress_handler(raw, progress_steps, &Session::on_progress, this);
  // The first read finds out whether this is a database. One that is locked right now is one.
  const auto looked = run_plain("SELECT count(*) FROM sqlite_schema");
  if (!looked && looked.error().kind() == ErrorKind::connection)
    return to_error(SQLITE_NOTADB,
                    "cannot open " + path_.shown() + ": " + looked.error().message());
  // Readers beside the writer, and one flush per checkpoint instead of two per commit. A file that
  // may not be written, or somebody's lock, leaves the mode as it is.
  static_cast<void>(run_plain("PRAGMA journal_mode = WAL"));
  static_cast<void>(run_plain("PRAGMA synchronous = NORMAL"));
  static_cast<void>(run_plain("PRAGMA foreign_keys = ON"));
  return {};
}

sdk::Status Session::run_plain(const char* sql) {
  deadline_ = std::chrono::steady_clock::time_point::max();
  interrupted_ = false;
  if (std::string_view{sql} == "BEGIN IMMEDIATE") {
    if (auto turn = take_turn(); !turn)
      return turn;
  }
  const int code = sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
  sdk::Status done;
  if (code != SQLITE_OK)
    done = last_error(connection_.get());
  end_turn();
  return done;
}

bool Session::in_transaction() const noexcept {
  return in_transaction_ || sqlite3_get_autocommit(connection_.get()) == 0;
}

sdk::Result<Session::Prepared*> Session::prepare(const std::string& sql) {
  if (auto* known = statements_.find(sql))
    return known;
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  Prepared prepared;
  prepared.statement.reset(raw);
  if (code != SQLITE_OK)
    return last_error(connection_.get());
  const std::string_view rest{tail, static_cast<std::size_t>(sql.data() + sql.size() - tail)};
  if (raw == nullptr)
    return sdk::Error{ErrorKind::execution, "the statement is empty", {.code = "42601"}};
  if (!is_blank(rest))
    return sdk::Error{ErrorKind::execution,
                      "there are two statements in one",
                      {.hint = "give each its own step, or use executeBatch", .code = "42601"}};
  prepared.columns = plan_columns(raw);
  prepared.word = main_keyword(sql);
  prepared.sql = std::make_shared<const std::string>(sql);
  prepared.read_only = sqlite3_stmt_readonly(raw) != 0;
  if (statements_.capacity() == 0) {
    uncached_ = std::move(prepared);
    return &uncached_;
  }
  statements_.insert(sql, std::move(prepared));
  return statements_.find(sql);
}

sdk::Result<sdk::SqlResult> Session::run(const std::shared_ptr<const sdk::Statement>& statement,
                                         std::uint32_t set) {
  const auto limit = statement->options.timeout.value_or(statement_timeout_);
  const auto now = std::chrono::steady_clock::now();
  deadline_ = limit > 0ms ? now + limit : std::chrono::steady_clock::time_point::max();
  interrupted_ = false;
  if (statement->bulk) {
    auto written = run_bulk(*statement->bulk);
    end_turn();
    return written;
  }
  auto prepared = prepare(statement->sql);
  if (!prepared) {
    failed_ = failed_ || in_transaction_;
    return prepared.error();
  }
  auto result = guarded(**prepared, *statement, set);
  end_turn();
  return result;
}

sdk::Result<sdk::SqlResult> Session::guarded(Prepared& prepared, const sdk::Statement& statement,
                                             std::uint32_t set) {
  // SQLite ends a transaction by itself after some errors; what follows must not run outside it.
  if (in_transaction_ && sqlite3_get_autocommit(connection_.get()) != 0)
    failed_ = true;
  const bool ends = prepared.word == "COMMIT" || prepared.word == "END";
  const bool rolls_back = prepared.word == "ROLLBACK";
  if (failed_ && ends) {
    static_cast<void>(run_plain("ROLLBACK"));
    in_transaction_ = failed_ = false;
    return sdk::SqlResult{.command = "ROLLBACK", .sql = prepared.sql};
  }
  if (failed_ && rolls_back && sqlite3_get_autocommit(connection_.get()) != 0) {
    in_transaction_ = failed_ = false;
    return sdk::SqlResult{.command = "ROLLBACK", .sql = prepared.sql};
  }
  if (failed_ && !rolls_back)
    return transaction_failed();
  if (statement.options.read_only && !prepared.read_only)
    return sdk::Error{ErrorKind::execution,
                      "the statement writes, and it was declared read-only",
                      {.code = "25006"}};
  if (!prepared.read_only) {
    if (auto turn = take_turn(); !turn) {
      failed_ = failed_ || in_transaction_;
      return turn.error();
    }
  }
  auto result = step(prepared, statement.sets[set], statement.stream);
  if (!result && ends) {
    // A deferred constraint, or somebody's lock: SQLite leaves the transaction open, with its lock.
    // Elsewhere a COMMIT ends it in every case.
    if (sqlite3_get_autocommit(connection_.get()) == 0)
      static_cast<void>(run_plain("ROLLBACK"));
    in_transaction_ = failed_ = false;
    return result;
  }
  if (!result && result.error().code() == "57014")
    result = sdk::Error{
      ErrorKind::timeout, "canceling statement due to statement timeout", {.code = "57014"}};
  note_transaction(prepared, result.has_value());
  return result;
}

void Session::note_transaction(const Prepared& prepared, bool succeeded) {
  if (!succeeded) {
    failed_ = in_transaction_;
    return;
  }
  const bool inside = sqlite3_get_autocommit(connection_.get()) == 0;
  if (prepared.word == "BEGIN" || prepared.word == "COMMIT" || prepared.word == "END"
      || prepared.word == "ROLLBACK") {
    in_transaction_ = inside;
    failed_ = false;
  }
}

sdk::Result<sdk::SqlResult> Session::step(Prepared& prepared, const sdk::Parameters& parameters,
                                          const std::shared_ptr<sdk::RowStream>& stream) {
  auto* statement = prepared.statement.get();
  if (auto bound = bind(statement, parameters); !bound)
    return bound.error();
  sdk::SqlResult result{.shape = prepared.columns.shape, .sql = prepared.sql};
  int code = SQLITE_ROW;
  std::size_t rows = 0;
  if (stream)
    set_stream(stream);
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    result.rows.push_back(read_row(statement, prepared.columns));
    ++rows;
    if (stream && result.rows.size() >= stream->piece_rows() && !push(*stream, result)) {
      code = SQLITE_INTERRUPT;
      break;
    }
  }
  if (stream) {
    if (result.rows.size() > 0)
      push(*stream, result);
    set_stream(nullptr);
  }
  if (code == SQLITE_INTERRUPT && stream && stream->cancelled()) {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return sdk::Error{ErrorKind::cancelled, "nobody wants the rows any more", {.code = "57014"}};
  }
  if (code != SQLITE_DONE) {
    auto error = last_error(connection_.get());
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return error;
  }
  // A schema change may have given `SELECT *` other columns; the next run reads them by the new
  // plan.
  if (sqlite3_column_count(statement) != static_cast<int>(prepared.columns.kinds.size()))
    prepared.columns = plan_columns(statement);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  result.rowcount = row_count(prepared.word, rows, !prepared.columns.kinds.empty(),
                              sqlite3_changes(connection_.get()));
  result.command = command_tag(prepared.word, *prepared.sql, result.rowcount);
  return result;
}

// Waits while there are enough; that time is not the statement's.
bool Session::push(sdk::RowStream& stream, sdk::SqlResult& result) {
  sdk::SqlResult piece{.rows = std::exchange(result.rows, sdk::Value::array()),
                       .shape = result.shape};
  piece.rowcount = static_cast<std::int64_t>(piece.rows.size());
  stream.push(ready(std::move(piece)));
  const auto before = std::chrono::steady_clock::now();
  const bool wanted = stream.wait_for_room();
  if (deadline_ != std::chrono::steady_clock::time_point::max())
    deadline_ += std::chrono::steady_clock::now() - before;
  return wanted;
}

void Session::set_stream(std::shared_ptr<sdk::RowStream> stream) {
  const std::lock_guard lock{mutex_};
  if (stream && stopped_)
    stream->cancel();
  stream_ = std::move(stream);
}

void Session::stop() noexcept {
  stopped_ = true;
  const std::lock_guard lock{mutex_};
  if (stream_)
    stream_->cancel();
}

sdk::Result<sdk::SqlResult> Session::run_bulk(const sdk::BulkRows& bulk) {
  if (in_transaction_ && sqlite3_get_autocommit(connection_.get()) != 0)
    failed_ = true;
  if (failed_)
    return transaction_failed();
  if (!in_transaction_)
    return sdk::Error{
      ErrorKind::transaction, "rows are copied inside a transaction only", {.code = "25P01"}};
  auto prepared = prepare(insert_sql(bulk));
  auto turn = prepared ? take_turn() : prepared.error();
  if (!turn) {
    failed_ = true;
    return turn.error();
  }
  for (const auto& row : bulk.rows()) {
    if (auto written = step(**prepared, row); !written) {
      note_transaction(**prepared, false);
      return written.error();
    }
  }
  sdk::SqlResult result{.rowcount = static_cast<std::int64_t>(bulk.count)};
  result.command = "COPY " + std::to_string(bulk.count);
  return result;
}

bool Session::out_of_time() const noexcept {
  return stopped_ || interrupted_ || std::chrono::steady_clock::now() >= deadline_;
}

int Session::on_busy(void* self, int attempt) noexcept {
  const auto& session = *static_cast<Session*>(self);
  // Waits 1, 2, 4, … 32 ms: short for a neighbour's commit, seldom for a long holder. The thread is
  // ours alone.
  const auto wait = std::chrono::milliseconds{1U << static_cast<unsigned>(std::min(attempt, 5))};
  std::chrono::milliseconds waited{0};
  for (int i = 0; i < attempt; ++i)
    waited += std::chrono::milliseconds{1U << static_cast<unsigned>(std::min(i, 5))};
  if (waited >= session.busy_timeout_ || session.out_of_time())
    return 0;
  std::this_thread::sleep_for(wait);
  return 1;
}

int Session::on_progress(void* self) noexcept {
  return static_cast<Session*>(self)->out_of_time() ? 1 : 0;
}

}  // namespace millrace::sqlite
