// PoolFixture: a pool on a real driver, asked from the test's thread.
//
//   PoolFixture pool{settings, driver};
//   auto reply = pool.run("SELECT 1");
//   auto session = pool.begin();
#pragma once

#include "actors/caf.hpp"
#include "actors/db/spawn.hpp"
#include "connectors/asio/reactor.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::actors {

/// Waits for a callback; a test that waits for longer than this hangs.
inline constexpr std::chrono::seconds patience{20};

template <class T>
class Awaited {
public:
  auto callback() {
    return [promise = promise_](T value) { promise->set_value(std::move(value)); };
  }

  T get() {
    auto future = promise_->get_future();
    if (future.wait_for(patience) != std::future_status::ready) {
      ADD_FAILURE() << "nobody answered";
      std::abort();
    }
    return future.get();
  }

private:
  std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
};

class PoolFixture {
public:
  PoolFixture(sdk::DatabaseSettings settings, const sdk::DatabaseDriver& driver,
              std::size_t reactor_threads = 1, sdk::Log* log = &sdk::silent_log())
    : reactor_{asio::make_reactor({.threads = reactor_threads})},
      system_{std::make_unique<System>()} {
    auto pool = spawn_pool(
      system_->actors,
      {.driver = &driver,
       .settings = std::make_shared<const sdk::DatabaseSettings>(std::move(settings)),
       .reactor = reactor_.get(),
       .log = log});
    if (pool)
      handle_ = std::move(*pool);
    else
      ADD_FAILURE() << pool.error().to_string();
  }

  PoolFixture(const PoolFixture&) = delete;
  PoolFixture& operator=(const PoolFixture&) = delete;

  ~PoolFixture() {
    handle_.close();
    handle_ = {};
    system_.reset();
    reactor_->stop();
  }

  DatabaseHandle& handle() { return handle_; }

  caf::actor_system& system() { return system_->actors; }

  ExecuteReply run(sdk::Statement statement) {
    Awaited<ExecuteReply> reply;
    handle_.execute(std::move(statement), reply.callback());
    return reply.get();
  }

  sdk::Result<sdk::SqlResult> run(std::string sql, sdk::Parameters parameters = {}) {
    auto reply = run(sdk::Statement{.sql = std::move(sql), .sets = {std::move(parameters)}});
    EXPECT_EQ(reply.results.size(), 1U);
    return std::move(reply.results.front());
  }

  /// The statement works; its rows.
  sdk::Value rows(std::string sql, sdk::Parameters parameters = {}) {
    const auto text = sql;
    auto result = run(std::move(sql), std::move(parameters));
    EXPECT_TRUE(result) << text << ": " << result.error().to_string();
    return result ? result->rows : sdk::Value::array();
  }

  sdk::Result<SessionHandle> begin(sdk::TransactionOptions options = {}) {
    Awaited<sdk::Result<SessionHandle>> session;
    handle_.begin(options, session.callback());
    return session.get();
  }

  PoolInfo info() {
    Awaited<PoolInfo> info;
    handle_.pool_info(info.callback());
    return info.get();
  }

  HealthReport health() {
    Awaited<HealthReport> report;
    handle_.health(report.callback());
    return report.get();
  }

private:
  struct Config : caf::actor_system_config {
    Config() { configure_scheduler(*this, 2); }
  };

  struct System {
    Config config;
    caf::actor_system actors{config};
  };

  std::unique_ptr<sdk::Reactor> reactor_;
  std::unique_ptr<System> system_;
  DatabaseHandle handle_;
};

inline sdk::Result<sdk::SqlResult> run(const SessionHandle& session, std::string sql,
                                       sdk::Parameters parameters = {}) {
  Awaited<ExecuteReply> reply;
  session.execute(sdk::Statement{.sql = std::move(sql), .sets = {std::move(parameters)}},
                  reply.callback());
  return std::move(reply.get().results.front());
}

inline sdk::Status commit(const SessionHandle& session) {
  Awaited<sdk::Status> status;
  session.commit(status.callback());
  return status.get();
}

inline sdk::Status rollback(const SessionHandle& session) {
  Awaited<sdk::Status> status;
  session.rollback(status.callback());
  return status.get();
}

}  // namespace millrace::actors
