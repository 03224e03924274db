#include "connectors/postgres/client/core.hpp"

#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/worker.hpp"

#include <future>
#include <thread>
#include <utility>

namespace millrace::postgres {

extern const sdk::Connector connector;

namespace {

// Ends a pool: its connections, then its reactor where nobody else runs on it.
void dispose(std::shared_ptr<ClientPool> pool, bool owns_reactor) {
  const auto reactor = pool->services().reactor;
  auto closed = std::make_shared<std::promise<void>>();
  auto gone = closed->get_future();
  pool->services().loop->post([pool, closed] { pool->close([closed] { closed->set_value(); }); });
  // Where somebody else has stopped the reactor, the promise goes with the task.
  gone.wait();
  if (owns_reactor)
    reactor->stop();
  pool.reset();
}

// The last owner may be a task on the reactor's own thread, which cannot end itself.
std::shared_ptr<sdk::Reactor> ended_elsewhere(std::shared_ptr<sdk::Reactor> reactor) {
  auto* const raw = reactor.get();
  return {raw, [reactor = std::move(reactor)](sdk::Reactor* ending) mutable {
            bool here = false;
            for (std::size_t i = 0; i < ending->loop_count(); ++i)
              here = ending->loop().on_this_thread() || here;
            if (here)
              sdk::start_thread("db-end", [last = std::move(reactor)]() mutable {
                last.reset();
              }).detach();
            reactor.reset();
          }};
}

}  // namespace

sdk::Error not_connected() {
  return {sdk::ErrorKind::connection,
          "the connector is not connected",
          {.hint = "call connect() first", .code = "08003"}};
}

ClientCore::ClientCore(std::shared_ptr<const sdk::DatabaseSettings> settings, sdk::Log& log,
                       std::shared_ptr<sdk::Reactor> reactor)
  : settings_{std::move(settings)},
    log_{log},
    given_{reactor ? ended_elsewhere(std::move(reactor)) : nullptr} {
}

ClientCore::~ClientCore() {
  if (!pool_)
    return;
  if (on_own_thread())
    // Its last owner was a callback: that thread cannot wait for itself.
    sdk::start_thread("db-close", [pool = std::exchange(pool_, nullptr),
                                   owns = given_ == nullptr]() mutable {
      dispose(std::move(pool), owns);
    }).detach();
  else
    dispose(std::exchange(pool_, nullptr), given_ == nullptr);
}

void ClientCore::connect(sdk::StatusCallback done) {
  if (auto checked = postgres::connector.database()->check(*settings_); !checked) {
    done(checked.error());
    return;
  }
  std::shared_ptr<ClientPool> pool;
  bool fresh = false;
  {
    const std::lock_guard lock{mutex_};
    fresh = pool_ == nullptr;
    if (fresh) {
      auto reactor = given_;
      if (!reactor)
        reactor = asio::make_reactor({.threads = 1});
      ClientPool::Services services{postgres::connector.database(), settings_, &reactor->loop(),
                                    &log_};
      services.reactor = std::move(reactor);
      pool_ = std::make_shared<ClientPool>(std::move(services));
    }
    pool = pool_;
  }
  // The loop's thread must not be the last owner of this: see the destructor.
  pool->services().loop->post([weak = weak_from_this(), pool, fresh, done = std::move(done)] {
    if (pool->is_up()) {
      done({});
      return;
    }
    pool->acquire(pool->connect_limit(), [weak, pool, fresh, done](sdk::Result<Lease> lease) {
      if (lease) {
        lease->reset();  // before the caller can want it
        pool->warm_up();
        done({});
      } else if (const auto self = weak.lock(); self && fresh) {
        self->close([done, error = lease.error()](const sdk::Status&) { done(error); });
      } else {
        done(lease.error());
      }
    });
  });
}

void ClientCore::close(sdk::StatusCallback done) {
  std::shared_ptr<ClientPool> pool;
  {
    const std::lock_guard lock{mutex_};
    pool = std::exchange(pool_, nullptr);
  }
  if (!pool) {
    done({});
    return;
  }
  // Ending the reactor's thread takes another one than that.
  sdk::start_thread("db-close", [pool, owns = given_ == nullptr, done = std::move(done)]() mutable {
    dispose(std::move(pool), owns);
    std::exchange(done, nullptr)({});
  }).detach();
}

std::shared_ptr<ClientPool> ClientCore::pool() const {
  const std::lock_guard lock{mutex_};
  return pool_;
}

bool ClientCore::on_own_thread() const {
  const auto current = pool();
  return current && current->services().loop->on_this_thread();
}

}  // namespace millrace::postgres
