// How many connections the pool has: opening, losing and retiring them.
#include "connectors/postgres/client/pool.hpp"
#include "connectors/postgres/client/pooled_link.hpp"

#include <algorithm>
#include <utility>

namespace millrace::postgres {

namespace {

using namespace std::chrono_literals;
using State = PooledLink::State;

sdk::Instant now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

std::chrono::milliseconds ClientPool::connect_limit() const {
  const auto& settings = *services_.settings;
  const auto hosts = std::max<std::size_t>(1, settings.hosts.size());
  const auto round = settings.connect_timeout > 0ms ? settings.connect_timeout : 1h;
  const auto rounds = static_cast<std::int64_t>(hosts * 2 * settings.retry.total_attempts());
  return std::max(settings.pool.timeout, round * rounds);
}

void ClientPool::warm_up() {
  dispatch();
}

void ClientPool::grow() {
  if (redial_ != 0)
    return;
  const auto busy = static_cast<std::size_t>(
    std::ranges::count(links_, State::busy, [](const auto& link) { return link->state; }));
  const auto wanted = [&] {
    return waiters_.size() > dialing_ + busy || links_.size() < services_.settings->pool.min_size;
  };
  // While the server does not answer one attempt at a time is enough.
  while (!closing_ && links_.size() < limit_ && wanted() && (failures_ == 0 || dialing_ == 0)
         && redial_ == 0) {
    if (failures_ > 0 && waiters_.empty())
      return;
    dial();
  }
}

void ClientPool::dial() {
  auto pooled = std::make_shared<PooledLink>();
  pooled->link = std::make_shared<ClientLink>(
    ClientLink::Services{services_.driver, services_.settings, services_.loop});
  links_.push_back(pooled);
  ++dialing_;
  pooled->link->open(
    [self = shared_from_this(), pooled] { self->dialed(pooled); },
    [self = shared_from_this(), pooled](const sdk::WireLoss& loss) { self->lost(pooled, loss); });
}

void ClientPool::dialed(const std::shared_ptr<PooledLink>& link) {
  --dialing_;
  failures_ = 0;
  dial_error_.reset();
  const auto lifetime = services_.settings->pool.max_lifetime;
  if (lifetime > 0ms) {
    // Less up to 10 %, so that they do not end together.
    std::uniform_int_distribution<std::int64_t> spread{0, lifetime.count() / 10};
    link->retires_at = now() + lifetime - std::chrono::milliseconds{spread(random_)};
  }
  if (closing_) {
    link->state = State::busy;
    link->link->close();
    return;
  }
  rest(link);
  dispatch();
}

void ClientPool::lost(const std::shared_ptr<PooledLink>& link, const sdk::WireLoss& loss) {
  const bool dialing = link->state == State::dialing;
  services_.loop->cancel(std::exchange(link->leak_timer, 0));
  links_.remove(link);
  std::erase(idle_, link);
  if (dialing)
    --dialing_;
  if (closing_) {
    if (links_.empty() && closed_)
      std::exchange(closed_, nullptr)();
    return;
  }
  if (dialing)
    dial_failed(loss);
  dispatch();
}

void ClientPool::dial_failed(const sdk::WireLoss& loss) {
  ++failures_;
  dial_error_ = loss.error;
  services_.log->warn("connection failed", {{"server", services_.settings->name},
                                            {"sqlstate", loss.error.code()},
                                            {"failures", failures_}});
  const auto& retry = services_.settings->retry;
  if (!is_up() && (!loss.other_host_may_do || failures_ >= retry.total_attempts())) {
    // Whoever asks next tries again.
    const auto attempts = std::exchange(failures_, 0);
    refuse_all(loss.error.with_attempts(attempts));
    return;
  }
  const auto wait = std::chrono::round<std::chrono::milliseconds>(
    sdk::Backoff{retry.connection_base, retry.cap}.wait(failures_, random_));
  services_.loop->cancel(redial_);
  redial_ = services_.loop->after(wait, [self = shared_from_this()] {
    self->redial_ = 0;
    self->dispatch();
  });
}

// Overflow stays only while there is work for it.
bool ClientPool::is_wanted(const PooledLink&) const {
  return links_.size() <= services_.settings->pool.max_size || !waiters_.empty();
}

void ClientPool::arm_sweep() {
  const auto& pool = services_.settings->pool;
  if (sweep_ != 0 || idle_.empty() || closing_
      || (pool.max_idle <= 0ms && pool.max_lifetime <= 0ms))
    return;
  auto every = pool.max_idle > 0ms ? pool.max_idle : pool.max_lifetime;
  if (pool.max_lifetime > 0ms)
    every = std::min(every, pool.max_lifetime);
  sweep_ = services_.loop->after(std::clamp<std::chrono::milliseconds>(every / 4, 10ms, 30s),
                                 [self = shared_from_this()] {
                                   self->sweep_ = 0;
                                   self->sweep();
                                 });
}

void ClientPool::sweep() {
  const auto& pool = services_.settings->pool;
  auto left = links_.size();
  // The one that was used longest ago stands in front.
  for (auto link = idle_.begin(); link != idle_.end();) {
    const bool old = now() >= (*link)->retires_at;
    const bool unused = pool.max_idle > 0ms && left > pool.min_size
                        && now() - (*link)->idle_since >= pool.max_idle;
    if (!old && !unused) {
      ++link;
      continue;
    }
    --left;
    (*link)->state = State::busy;
    (*link)->link->close();
    link = idle_.erase(link);
  }
  arm_sweep();
}

}  // namespace millrace::postgres
