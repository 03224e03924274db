// ClientPool: the library's own pool of connections, for programs without the engine. Everything
// here happens on one loop's thread, so it needs no locks.
//
//   pool->acquire([](sdk::Result<Lease> lease) { … (*lease)->run(…); … });   // goes back by itself
#pragma once

#include "connectors/postgres/client/link.hpp"
#include "connectors/postgres/client/pool_info.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/retry_policy.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>

namespace millrace::postgres {

class ClientPool;
struct PooledLink;

/// A connection that is lent; goes back to its pool when the last copy does.
class LentLink {
public:
  LentLink(std::shared_ptr<ClientPool> pool, std::shared_ptr<PooledLink> link);
  LentLink(const LentLink&) = delete;
  LentLink& operator=(const LentLink&) = delete;
  ~LentLink();

  void run(std::vector<BurstItem> items, std::function<void(BurstResult)> done);

  /// Not to be used by anybody any more: its state is unknown.
  void spoil() noexcept { spoiled_ = true; }

  /// It had a transaction, which may have left behind what no statement's text shows.
  void soil() noexcept { soiled_ = true; }

  /// Closes the connection: what runs on it ends with its loss.
  void abandon();

private:
  std::shared_ptr<ClientPool> pool_;
  std::shared_ptr<PooledLink> link_;
  bool spoiled_ = false;
  bool soiled_ = false;
  bool touched_ = false;  // something may be left behind that the next one must not see
};

using Lease = std::shared_ptr<LentLink>;

class ClientPool : public std::enable_shared_from_this<ClientPool> {
public:
  struct Services {
    const sdk::DatabaseDriver* driver = nullptr;
    std::shared_ptr<const sdk::DatabaseSettings> settings;
    sdk::EventLoop* loop = nullptr;
    sdk::Log* log = nullptr;
    std::shared_ptr<sdk::Reactor> reactor;  // whose loop it is; stopped before it goes
  };

  using Lent = std::function<void(sdk::Result<Lease>)>;

  explicit ClientPool(Services services);

  /// First come, first served; waits as long as the pool's `timeout` says.
  void acquire(Lent done) { acquire(services_.settings->pool.timeout, std::move(done)); }

  void acquire(std::chrono::milliseconds limit, Lent done);

  /// As long as it may take until every host was tried as often as it may be.
  std::chrono::milliseconds connect_limit() const;

  /// Opens what `min_size` asks for.
  void warm_up();

  /// Takes no more requests, refuses those that wait, closes every connection, then calls `done`.
  void close(std::function<void()> done);

  PoolInfo info() const;

  /// Whether there is a connection, lent or not.
  bool is_up() const;

  sdk::RetryPolicy& retries() noexcept { return retries_; }

  const Services& services() const noexcept { return services_; }

  /// Whether the server tells the numbers of transactions; unknown until one was asked.
  std::optional<bool>& numbers_transactions() noexcept { return numbers_transactions_; }

private:
  friend class LentLink;

  struct Waiter {
    std::uint64_t id = 0;
    std::chrono::milliseconds limit{0};
    Lent done;
    sdk::TimerId timer = 0;
  };

  // pool.cpp: who waits
  void dispatch();
  void serve_waiters();
  void lend(const std::shared_ptr<PooledLink>& link);
  void ping(const std::shared_ptr<PooledLink>& link);
  void give_back(const std::shared_ptr<PooledLink>& link, bool spoiled, bool touched, bool soiled);
  void rest(const std::shared_ptr<PooledLink>& link);
  void time_out(std::uint64_t waiter);
  void refuse_all(const sdk::Error& error);

  // pool_growth.cpp: how many there are
  void grow();
  void dial();
  void dialed(const std::shared_ptr<PooledLink>& link);
  void lost(const std::shared_ptr<PooledLink>& link, const sdk::WireLoss& loss);
  void dial_failed(const sdk::WireLoss& loss);
  bool is_wanted(const PooledLink& link) const;
  void sweep();
  void arm_sweep();

  Services services_;
  std::uint32_t limit_;
  sdk::RetryPolicy retries_;
  std::mt19937_64 random_;
  std::list<std::shared_ptr<PooledLink>> links_;
  std::deque<std::shared_ptr<PooledLink>> idle_;  // the one used last is at the back
  std::deque<Waiter> waiters_;
  std::uint64_t last_waiter_ = 0;
  std::size_t dialing_ = 0;
  std::uint32_t failures_ = 0;            // to connect, in a row
  std::optional<sdk::Error> dial_error_;  // of the last one that failed; none since one worked
  sdk::TimerId redial_ = 0;
  sdk::TimerId sweep_ = 0;
  bool closing_ = false;
  std::function<void()> closed_;
  std::optional<bool> numbers_transactions_;
};

}  // namespace millrace::postgres
