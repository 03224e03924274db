#include "connectors/postgres/client/client.hpp"

#include "connectors/postgres/client/answered.hpp"

#include <utility>

namespace millrace::postgres {

namespace {

using sdk::SessionVerb;

sdk::Error already_open() {
  return {sdk::ErrorKind::transaction,
          "a transaction is already open",
          {.hint = "commit or roll it back first, or use a savepoint; parallel transactions need a "
                   "session() each",
           .code = "25001"}};
}

// The reactor may end while a task is on its way to it.
sdk::StatusCallback always(sdk::StatusCallback done) {
  return answered<sdk::Status>(std::move(done), [] { return sdk::Status{closed_meanwhile()}; });
}

sdk::Error none_open() {
  return {sdk::ErrorKind::transaction,
          "there is no transaction to end",
          {.hint = "call begin() first", .code = "25P01"}};
}

}  // namespace

Client::Client(std::shared_ptr<ClientCore> core) : core_{std::move(core)} {
}

Client::~Client() {
  if (open_)
    drop(*open_);
}

void Client::drop(const Open& open) {
  open.pool->services().loop->post([session = open.session] {
    session->run(SessionVerb::rollback, {.sql = "ROLLBACK"}, [](const auto&) {});
  });
}

void Client::connect(sdk::StatusCallback done) {
  core_->connect(always(std::move(done)));
}

void Client::execute(sdk::Statement statement, ManyCallback callback) {
  using Results = std::vector<sdk::Result<sdk::SqlResult>>;
  auto done = answered<Results>(std::move(callback), [count = statement.sets.size()] {
    return Results(count, closed_meanwhile());
  });
  std::optional<Open> open;
  {
    const std::lock_guard lock{mutex_};
    open = open_;
  }
  if (open) {
    open->pool->services().loop->post([session = open->session, statement = std::move(statement),
                                       done = std::move(done)]() mutable {
      session->run(SessionVerb::execute, std::move(statement), std::move(done));
    });
    return;
  }
  const auto pool = core_->pool();
  if (!pool) {
    done(std::vector<sdk::Result<sdk::SqlResult>>(statement.sets.size(), not_connected()));
    return;
  }
  auto execution = std::make_shared<Execution>(pool, std::move(statement), std::move(done));
  pool->services().loop->post([execution = std::move(execution)] { execution->start(); });
}

void Client::begin(sdk::TransactionOptions options, sdk::StatusCallback callback) {
  auto done = always(std::move(callback));
  std::shared_ptr<ClientSession> session;
  std::shared_ptr<ClientPool> pool;
  bool busy = false;
  {
    const std::lock_guard lock{mutex_};
    busy = open_.has_value();
    if (!busy) {
      pool = core_->pool();
      if (pool) {
        session = std::make_shared<ClientSession>(pool, options);
        open_ = Open{pool, session};
      }
    }
  }
  if (busy) {
    done(already_open());
    return;
  }
  if (!pool) {
    done(not_connected());
    return;
  }
  pool->services().loop->post([weak = weak_from_this(), session, done = std::move(done)] {
    session->open([weak, session, done](sdk::Status status) {
      if (const auto self = weak.lock(); self && !status)
        self->forget(session);
      done(std::move(status));
    });
  });
}

void Client::forget(const std::shared_ptr<ClientSession>& session) {
  const std::lock_guard lock{mutex_};
  if (open_ && open_->session == session)
    open_.reset();
}

void Client::end(SessionVerb verb, sdk::StatusCallback callback) {
  auto done = always(std::move(callback));
  std::optional<Open> open;
  {
    const std::lock_guard lock{mutex_};
    open = std::exchange(open_, std::nullopt);
  }
  if (!open) {
    done(none_open());
    return;
  }
  open->pool->services().loop->post([session = open->session, verb, done = std::move(done)] {
    sdk::Statement statement;
    statement.sql = verb == SessionVerb::commit ? "COMMIT" : "ROLLBACK";
    session->run(verb, std::move(statement),
                 [done](std::vector<sdk::Result<sdk::SqlResult>> results) {
                   if (results.front())
                     done({});
                   else
                     done(results.front().error());
                 });
  });
}

void Client::commit(sdk::StatusCallback done) {
  end(SessionVerb::commit, std::move(done));
}

void Client::rollback(sdk::StatusCallback done) {
  end(SessionVerb::rollback, std::move(done));
}

void Client::close(sdk::StatusCallback done) {
  {
    const std::lock_guard lock{mutex_};
    if (open_)
      drop(*std::exchange(open_, std::nullopt));
  }
  core_->close(std::move(done));
}

void Client::pool_info(std::function<void(PoolInfo)> callback) {
  auto done = answered<PoolInfo>(std::move(callback), [] { return PoolInfo{}; });
  const auto pool = core_->pool();
  if (!pool) {
    done({});
    return;
  }
  pool->services().loop->post([pool, done = std::move(done)] { done(pool->info()); });
}

bool Client::in_transaction() const {
  const std::lock_guard lock{mutex_};
  return open_.has_value();
}

std::shared_ptr<const ClientSession> Client::transaction() const {
  const std::lock_guard lock{mutex_};
  return open_ ? open_->session : nullptr;
}

}  // namespace millrace::postgres
