#include "connectors/sdk/connector_driver.hpp"

#include "connectors/sdk/loop_gate.hpp"
#include "connectors/sdk/worker.hpp"

#include <atomic>
#include <deque>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::sdk {

namespace {

constexpr std::string_view read_only_words = " READ ONLY";
constexpr std::string_view deferrable_words = " DEFERRABLE";

constexpr std::string_view isolation_words(Isolation isolation) {
  switch (isolation) {
  case Isolation::read_committed:
    return " ISOLATION LEVEL READ COMMITTED";
  case Isolation::repeatable_read:
    return " ISOLATION LEVEL REPEATABLE READ";
  case Isolation::serializable:
    return " ISOLATION LEVEL SERIALIZABLE";
  case Isolation::server_default:
    break;
  }
  return "";
}

// What `begin_sql` wrote.
TransactionOptions read_begin(std::string_view sql) {
  TransactionOptions options;
  for (const auto isolation :
       {Isolation::read_committed, Isolation::repeatable_read, Isolation::serializable}) {
    if (sql.find(isolation_words(isolation)) != std::string_view::npos)
      options.isolation = isolation;
  }
  options.read_only = sql.find(read_only_words) != std::string_view::npos;
  options.deferrable = sql.find(deferrable_words) != std::string_view::npos;
  return options;
}

bool is_begin(std::string_view sql) {
  return sql.starts_with("BEGIN");
}

Error neighbour_failed() {
  return {ErrorKind::transaction,
          "rolled back, because another statement of its batch failed",
          {.code = "25P02"}};
}

class ConnectorResult final : public RawResult {
public:
  explicit ConnectorResult(SqlResult result) : result_{std::move(result)} {}

  Result<SqlResult> decode() override { return std::move(result_); }

private:
  SqlResult result_;
};

Result<std::unique_ptr<RawResult>> result_of(SqlResult result) {
  return std::unique_ptr<RawResult>{std::make_unique<ConnectorResult>(std::move(result))};
}

// One operation after the other, all on the loop.
class ConnectorWire final : public Wire, public std::enable_shared_from_this<ConnectorWire> {
public:
  ConnectorWire(std::shared_ptr<AsyncDatabase> connector, EventLoop& loop, WireEvents events)
    : connector_{std::move(connector)},
      loop_{loop},
      gate_{std::make_shared<LoopGate>(loop)},
      events_{std::move(events)} {}

  ConnectorWire(const ConnectorWire&) = delete;
  ConnectorWire& operator=(const ConnectorWire&) = delete;

  ~ConnectorWire() override { gate_->shut(); }

  void connect() override {
    loop_.post([self = shared_from_this()] {
      if (self->ended_)
        return;
      self->connector_->async_connect(self->on_loop<Status>([self](Status status) {
        if (self->ended_)
          return;
        if (!status) {
          self->end(status.error(), status.error().retryable());
          return;
        }
        self->connected_ = true;
        self->events_.connected();
        self->pump();
      }));
    });
  }

  void send(std::vector<WireEntry> entries) override {
    loop_.post([self = shared_from_this(), entries = std::move(entries)]() mutable {
      if (self->ended_)
        return;
      for (auto& entry : entries)
        self->queue_.push_back(std::move(entry));
      self->pump();
    });
  }

  // A connector has no word for it.
  void cancel() override {}

  void close() override {
    gate_->shut();  // now: the loop may be gone before the connector answers
    loop_.post([self = shared_from_this()] {
      self->end({ErrorKind::connection, "the connection was closed", {.code = "08006"}}, true);
    });
  }

private:
  // Connectors answer on any thread; everything here happens on the loop's.
  template <class T>
  std::function<void(T)> on_loop(std::function<void(T)> then) {
    return [self = shared_from_this(), then = std::move(then)](T value) {
      self->gate_->post([then, value = std::move(value)]() mutable { then(std::move(value)); });
    };
  }

  void pump() {
    if (!connected_ || !group_.empty() || queue_.empty())
      return;
    bool more = true;
    while (more && !queue_.empty()) {
      more = !queue_.front().sync;
      group_.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    at_ = 0;
    failed_.reset();
    results_.clear();
    wraps_ = group_.size() > 1 && !in_transaction_ && !is_begin(group_.front().statement->sql);
    if (!wraps_) {
      next();
      return;
    }
    connector_->async_begin({}, status_then([self = shared_from_this()](Status begun) {
                              if (begun)
                                self->next();
                              else
                                self->fail(begun.error());
                            }));
  }

  StatusCallback status_then(std::function<void(Status)> then) {
    return on_loop<Status>([self = shared_from_this(), then = std::move(then)](Status status) {
      if (!self->ended_)
        then(std::move(status));
    });
  }

  void next() {
    if (at_ == group_.size()) {
      finish();
      return;
    }
    const auto& entry = group_[at_];
    const std::string_view sql = entry.statement->sql;
    const auto ended = [self = shared_from_this()](std::string_view command) {
      return self->status_then([self, command](Status status) {
        self->in_transaction_ = command == "BEGIN";
        self->took(status ? Result<SqlResult>{SqlResult{.command = std::string{command}}}
                          : Result<SqlResult>{status.error()});
      });
    };
    if (is_begin(sql)) {
      connector_->async_begin(read_begin(sql), ended("BEGIN"));
    } else if (sql == "COMMIT") {
      connector_->async_commit(ended("COMMIT"));
    } else if (sql == "ROLLBACK") {
      connector_->async_rollback(ended("ROLLBACK"));
    } else {
      connector_->async_execute(
        entry.statement->sql, Arguments{entry.statement->sets[entry.set]}, entry.statement->options,
        on_loop<Result<SqlResult>>([self = shared_from_this()](Result<SqlResult> result) {
          if (!self->ended_)
            self->took(std::move(result));
        }));
    }
  }

  void took(Result<SqlResult> result) {
    if (!result) {
      fail(result.error());
      return;
    }
    results_.push_back(std::move(*result));
    ++at_;
    next();
  }

  void fail(const Error& error) {
    if (error.kind() == ErrorKind::connection) {
      end(error, error.retryable());
      return;
    }
    failed_ = error;
    if (!wraps_) {
      finish();
      return;
    }
    connector_->async_rollback(
      status_then([self = shared_from_this()](const Status&) { self->answer_group(); }));
  }

  void finish() {
    if (!wraps_ || failed_) {
      answer_group();
      return;
    }
    connector_->async_commit(status_then([self = shared_from_this()](Status committed) {
      if (!committed) {
        self->failed_ = committed.error();
        self->at_ = self->group_.size() - 1;
      }
      self->answer_group();
    }));
  }

  void answer_group() {
    std::vector<WireAnswer> answers;
    const bool rolled_back = wraps_ && failed_;
    for (std::size_t i = 0; i < group_.size(); ++i) {
      const auto id = group_[i].id;
      if (failed_ && i == at_)
        answers.push_back({id, *failed_, false});
      else if (i < results_.size() && !rolled_back)
        answers.push_back({id, result_of(std::move(results_[i])), false});
      else
        answers.push_back({id, neighbour_failed(), true});
    }
    group_.clear();
    events_.answered(std::move(answers));
    if (!ended_)
      pump();
  }

  void end(const Error& error, bool may_retry) {
    if (std::exchange(ended_, true))
      return;
    WireLoss loss{error};
    loss.other_host_may_do = may_retry;
    for (std::size_t i = 0; i < group_.size(); ++i)
      loss.unanswered.push_back(
        {group_[i].id, i <= at_ ? StatementPhase::written : StatementPhase::queued});
    for (const auto& entry : queue_)
      loss.unanswered.push_back({entry.id, StatementPhase::queued});
    group_.clear();
    queue_.clear();
    connector_->async_close([connector = connector_](const Status&) {});
    std::exchange(events_, {}).lost(std::move(loss));
  }

  std::shared_ptr<AsyncDatabase> connector_;
  EventLoop& loop_;
  std::shared_ptr<LoopGate> gate_;
  WireEvents events_;
  std::deque<WireEntry> queue_;
  std::vector<WireEntry> group_;  // under way
  std::size_t at_ = 0;            // of the group: what the connector is asked now
  std::vector<SqlResult> results_;
  std::optional<Error> failed_;
  bool wraps_ = false;  // the group is a transaction of our making
  bool in_transaction_ = false;
  bool connected_ = false;
  bool ended_ = false;
};

// Tasks own the database. The last owner of this may be one of them, whose thread cannot wait for
// itself: see `run_on_thread`.
class OnThread final : public AsyncDatabase {
public:
  explicit OnThread(std::shared_ptr<SyncDatabase> database) : database_{std::move(database)} {
    worker_.post([this] { thread_ = std::this_thread::get_id(); });
  }

  bool is_here() const noexcept { return thread_.load() == std::this_thread::get_id(); }

  void async_connect(StatusCallback done) override {
    worker_.post([database = database_, done = std::move(done)] { done(database->connect()); });
  }

  void async_execute(std::string sql, Arguments arguments, StatementOptions options,
                     ResultCallback done) override {
    worker_.post([database = database_, sql = std::move(sql), arguments = std::move(arguments),
                  options,
                  done = std::move(done)] { done(database->execute(sql, arguments, options)); });
  }

  void async_begin(TransactionOptions options, StatusCallback done) override {
    worker_.post([database = database_, options = std::move(options), done = std::move(done)] {
      done(database->begin(options));
    });
  }

  void async_commit(StatusCallback done) override {
    worker_.post([database = database_, done = std::move(done)] { done(database->commit()); });
  }

  void async_rollback(StatusCallback done) override {
    worker_.post([database = database_, done = std::move(done)] { done(database->rollback()); });
  }

  void async_close(StatusCallback done) override {
    worker_.post([database = database_, done = std::move(done)] { done(database->close()); });
  }

private:
  std::shared_ptr<SyncDatabase> database_;
  std::atomic<std::thread::id> thread_;
  Worker worker_{"database"};
};

}  // namespace

std::shared_ptr<AsyncDatabase> run_on_thread(std::shared_ptr<SyncDatabase> database) {
  return {new OnThread{std::move(database)}, [](OnThread* on_thread) {
            if (on_thread->is_here())
              start_thread("db-end", [on_thread] { delete on_thread; }).detach();
            else
              delete on_thread;
          }};
}

std::string ConnectorDriver::begin_sql(const TransactionOptions& options) const {
  std::string sql = "BEGIN";
  sql += isolation_words(options.isolation);
  if (options.read_only)
    sql += read_only_words;
  if (options.deferrable)
    sql += deferrable_words;
  return sql;
}

std::shared_ptr<Wire> ConnectorDriver::make_wire(const DatabaseSettings& settings, EventLoop& loop,
                                                 WireEvents events) const {
  return std::make_shared<ConnectorWire>(factory_(settings), loop, std::move(events));
}

}  // namespace millrace::sdk
