#include "connectors/postgres/client/cursor.hpp"

#include "connectors/postgres/client/blocking.hpp"
#include "connectors/sdk/sql/classify.hpp"

#include <atomic>
#include <utility>

namespace millrace::postgres {

namespace {

std::string next_name() {
  static std::atomic<std::uint64_t> last{0};
  return "\"millrace_cursor_" + std::to_string(++last) + "\"";
}

sdk::Status check_streamable(std::string_view text) {
  const auto tokens = sdk::sql::tokenize(text);
  if (!tokens)
    return tokens.error();
  const auto found = sdk::sql::classify(*tokens);
  if (found.kind == sdk::sql::StatementKind::query && !found.modifying_cte
      && (found.keyword == "SELECT" || found.keyword == "VALUES" || found.keyword == "WITH"
          || found.keyword == "TABLE"))
    return {};
  return sdk::Error{sdk::ErrorKind::execution,
                    "only queries can be streamed",
                    {.hint = "run it with execute()", .code = "42601"}};
}

void ignore(const std::vector<sdk::Result<sdk::SqlResult>>&) {
}

}  // namespace

Cursor::Cursor(std::shared_ptr<Client> client, StreamOptions options)
  : client_{std::move(client)}, options_{options}, name_{next_name()} {
  // Within a transaction it sees what that has written.
  const auto transaction = client_->transaction();
  transaction_ = transaction;
  if (!transaction) {
    owns_transaction_ = true;
    client_ = client_->session();
    name_ = "\"millrace_cursor\"";  // always the same, so that the server knows the statement
  }
}

Cursor::~Cursor() {
  if (!declared_)
    return;
  if (owns_transaction_)
    client_->rollback([](const sdk::Status&) {});
  else if (is_open())
    client_->execute({.sql = "CLOSE " + name_}, ignore);
}

// The caller's transaction may have ended under the stream, and another one begun: that knows
// nothing of the cursor, and would fail.
bool Cursor::is_open() const {
  const auto transaction = transaction_.lock();
  return owns_transaction_ || (transaction && client_->transaction() == transaction);
}

void Cursor::open(sdk::Statement statement, sdk::StatusCallback done) {
  if (auto fits = check_streamable(statement.sql); !fits) {
    done(fits.error());
    return;
  }
  if (options_.chunk_rows == 0) {
    done(sdk::Error{sdk::ErrorKind::execution, "chunk_rows must be at least 1"});
    return;
  }
  if (!owns_transaction_) {
    declare(std::move(statement), done);
    return;
  }
  client_->begin({.read_only = false}, [self = shared_from_this(), statement = std::move(statement),
                                        done = std::move(done)](const sdk::Status& begun) {
    if (begun)
      self->declare(statement, done);
    else
      done(begun.error());
  });
}

void Cursor::declare(sdk::Statement statement, const sdk::StatusCallback& done) {
  statement.sql = "DECLARE " + name_ + " NO SCROLL CURSOR FOR " + statement.sql;
  client_->execute(
    std::move(statement),
    [self = shared_from_this(), done](const std::vector<sdk::Result<sdk::SqlResult>>& results) {
      if (!results.front()) {
        if (self->owns_transaction_)
          self->client_->rollback([](const sdk::Status&) {});
        done(results.front().error());
        return;
      }
      self->declared_ = true;
      {
        const std::lock_guard lock{self->mutex_};
        self->fetching_ = true;
      }
      self->fetch();
      done({});
    });
}

// With `fetching_` set.
void Cursor::fetch() {
  if (!is_open()) {
    take(sdk::Error{sdk::ErrorKind::transaction,
                    "the stream has ended with its transaction",
                    {.hint = "read it to its end before commit or rollback", .code = "34000"}});
    return;
  }
  client_->execute(
    {.sql = "FETCH FORWARD " + std::to_string(options_.chunk_rows) + " FROM " + name_},
    // A stream that nobody wants any more is closed by what comes.
    [weak = weak_from_this()](std::vector<sdk::Result<sdk::SqlResult>> results) {
      if (const auto self = weak.lock())
        self->take(std::move(results.front()));
    });
}

void Cursor::take(sdk::Result<sdk::SqlResult> result) {
  Done waiting;
  std::optional<sdk::Result<sdk::Value>> chunk;
  bool more = false;
  bool last = false;
  {
    const std::lock_guard lock{mutex_};
    fetching_ = false;
    at_end_ = !result || result->rows.size() < options_.chunk_rows;
    auto rows = result ? sdk::Result<sdk::Value>{std::move(result->rows)}
                       : sdk::Result<sdk::Value>{result.error()};
    waiting = std::exchange(waiting_, nullptr);
    if (waiting)
      chunk = std::move(rows);
    else
      chunks_.push_back(std::move(rows));
    more = !at_end_ && chunks_.size() < options_.chunks_ahead;
    fetching_ = more;
    last = at_end_;
  }
  if (more)
    fetch();
  if (last && owns_transaction_) {
    // Nothing more is asked of its connection.
    declared_ = false;
    client_->rollback([](const sdk::Status&) {});
  }
  if (waiting)
    waiting(std::move(*chunk));
}

void Cursor::next(Done done) {
  std::optional<sdk::Result<sdk::Value>> chunk;
  bool more = false;
  {
    const std::lock_guard lock{mutex_};
    if (!chunks_.empty()) {
      chunk = std::move(chunks_.front());
      chunks_.pop_front();
    } else if (at_end_) {
      chunk = sdk::Value::array();
    } else {
      waiting_ = std::move(done);
    }
    more = !at_end_ && !fetching_;
    fetching_ = fetching_ || more;
  }
  if (more)
    fetch();
  if (chunk)
    done(std::move(*chunk));  // NOLINT(bugprone-use-after-move): it waits only where none is there
}

sdk::Result<sdk::Value> RowStream::next() {
  return wait_for<sdk::Result<sdk::Value>>(*cursor_->client()->core(),
                                           [&](auto done) { cursor_->next(std::move(done)); });
}

void RowStream::async_next(std::function<void(sdk::Result<sdk::Value>)> done) {
  cursor_->next(std::move(done));
}

}  // namespace millrace::postgres
