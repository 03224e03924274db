// How many connections there are, when they retire, and what happens while the server is down.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <string>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::uint32_t failures_until_down = 3;
constexpr milliseconds refused_probe =
  30s;  // for settings that the server refuses: passwords do get corrected

}  // namespace

void PoolCore::grow(sdk::Instant now) {
  if (shut_)
    return;
  std::uint32_t connecting = 0;
  std::uint32_t working = 0;
  std::uint32_t usable = 0;
  for (const auto& [id, connection] : connections_) {
    connecting += connection.state == State::connecting ? 1 : 0;
    working += connection.state == State::ready || connection.state == State::lent ? 1 : 0;
    usable += connection.state == State::ready ? 1 : 0;
  }
  // What is wanted: one per waiting session, one more for the lane where it has no room, and the
  // minimum.
  auto wanted = static_cast<std::uint32_t>(
    std::min<std::size_t>(sessions_.size(), limits_.connections));
  if (!waiting_.empty() && !lane_has_room() && lanes_busy() < limits_.lane)
    wanted += 1;
  const auto total = static_cast<std::uint32_t>(connections_.size());
  const auto minimum = draining_ ? 0 : std::min(limits_.pool.min_size, limits_.connections);
  if (total + wanted < minimum)
    wanted = minimum - total;
  if (usable == 0 && total < minimum && wanted == 0)
    wanted = 1;
  if (failures_ > 0) {
    // One prober at a time while nobody answers, for ever.
    if (connecting == 0 && (wanted > 0 || minimum > 0) && next_probe_ && now >= *next_probe_
        && total < limits_.connections) {
      last_probe_ = now;
      open();
    }
    return;
  }
  // 1, 2, 4, … at a time: a spike of short statements is over before a crowd of connections is
  // open.
  const auto at_once = std::max(1U, working);
  for (auto count = total;
       wanted > connecting && connecting < at_once && count < limits_.connections; ++count) {
    open();
    ++connecting;
  }
}

void PoolCore::open() {
  const auto id = ++last_connection_;
  connections_.emplace(id, Connection{});
  actions_.emplace_back(OpenConnection{id});
}

void PoolCore::close(ConnectionId id, Connection& connection) {
  connection.state = State::closing;  // counts until the wire says that it is gone
  actions_.emplace_back(CloseConnection{id});
}

void PoolCore::connect_failed(const sdk::WireLoss& loss, sdk::Instant now) {
  ++failures_;
  refused_ = !loss.other_host_may_do;
  const auto ceiling = Backoff{100ms, 10s}.ceiling(failures_);
  const auto half = ceiling.count() / 2;
  const milliseconds jittered{half + std::uniform_int_distribution<std::int64_t>{0, half}(random_)};
  next_probe_ = now + (refused_ ? refused_probe : jittered);
  if (!refused_ && failures_ < failures_until_down)
    return;
  down_ = loss.error;
  fail_waiting(down_error(now));
}

sdk::Error PoolCore::down_error(sdk::Instant now) const {
  auto detail = down_->detail();
  if (!refused_) {
    detail.retryable = true;
    const auto wait = next_probe_ ? std::chrono::duration_cast<milliseconds>(*next_probe_ - now)
                                  : 0ms;
    detail.hint = "the next attempt to connect is in "
                  + std::to_string(std::max<std::int64_t>(0, wait.count())) + " ms";
  }
  return {down_->kind(), down_->message(), std::move(detail)};
}

void PoolCore::fail_waiting(const sdk::Error& error) {
  for (const auto& request : std::exchange(waiting_, {})) {
    fail_unsent(request, error);
    complete(request);
  }
  for (const auto& [due, request] : std::exchange(retries_, {})) {
    fail_unsent(request, error);
    complete(request);
  }
  for (const auto& request : std::exchange(sessions_, {}))
    request->answer(error);
}

sdk::Error PoolCore::waited_too_long() const {
  const auto figures = info();
  sdk::Error::Detail detail{.hint = "raise pool.max_size, or hold transactions for a shorter time"};
  detail.retryable = true;
  return {sdk::ErrorKind::timeout,
          "no connection of '" + limits_.server + "' became free within "
            + std::to_string(limits_.pool.timeout.count()) + " ms (" + std::to_string(figures.total)
            + " of " + std::to_string(limits_.connections) + " open, "
            + std::to_string(figures.checked_out) + " in transactions, "
            + std::to_string(figures.waiting) + " requests waiting)",
          std::move(detail)};
}

void PoolCore::expire_waiting(sdk::Instant now) {
  const auto expired = [now](const auto& request) { return request->deadline <= now; };
  if (std::ranges::any_of(waiting_, expired)) {
    const auto error = waited_too_long();
    std::deque<RequestPtr> left;
    for (auto& request : std::exchange(waiting_, {})) {
      if (!expired(request)) {
        left.push_back(std::move(request));
        continue;
      }
      fail_unsent(request, error);
      complete(request);
    }
    waiting_ = std::move(left);
  }
  while (!sessions_.empty() && sessions_.front()->deadline <= now) {
    const auto error = waited_too_long();
    sessions_.front()->answer(error);
    sessions_.pop_front();
  }
}

// Up to a tenth early, so that what was opened together does not end together.
std::optional<sdk::Instant> PoolCore::retirement(sdk::Instant now) {
  const auto life = limits_.pool.max_lifetime.count();
  if (life == 0)
    return std::nullopt;
  return now
         + milliseconds{life - std::uniform_int_distribution<std::int64_t>{0, life / 10}(random_)};
}

void PoolCore::retire(sdk::Instant now) {
  auto total = connections_.size();
  for (auto& [id, connection] : connections_) {
    if (!is_idle(connection) || limits_.keeps_connection)
      continue;
    const bool old = connection.retire_at && *connection.retire_at <= now;
    const bool idle = limits_.pool.max_idle > 0ms
                      && connection.last_used + limits_.pool.max_idle <= now
                      && total > limits_.pool.min_size;
    const bool overflow = total > limits_.pool.max_size && waiting_.empty() && sessions_.empty();
    if (old || idle || overflow) {
      close(id, connection);
      --total;
    }
  }
}

std::optional<sdk::Instant> PoolCore::next_tick() const {
  std::optional<sdk::Instant> next;
  const auto at = [&next](sdk::Instant moment) {
    if (!next || moment < *next)
      next = moment;
  };
  if (!waiting_.empty()) {
    at(waiting_.front()->deadline);
    at(waiting_.back()->deadline);
  }
  if (!sessions_.empty())
    at(sessions_.front()->deadline);
  if (!retries_.empty())
    at(retries_.begin()->first);
  if (failures_ > 0 && next_probe_)
    at(*next_probe_);
  if (limits_.keeps_connection)
    return next;
  for (const auto& [id, connection] : connections_) {
    if (!is_idle(connection))
      continue;
    if (limits_.pool.max_idle > 0ms && connections_.size() > limits_.pool.min_size)
      at(connection.last_used + limits_.pool.max_idle);
    if (connection.retire_at)
      at(*connection.retire_at);
  }
  return next;
}

}  // namespace millrace::actors::db
