// How many connections there are, when they retire, and what happens while the server is down.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <string>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::uint32_t failures_until_down = 3;
// A password and the file that tells it are seldom changed in the same instant.
constexpr std::uint32_t refusals_until_slow = 5;
constexpr milliseconds refused_probe =
  30s;  // for settings that the server refuses: passwords do get corrected

}  // namespace

// One per waiting session, one more for the lane where it has no room, and the minimum.
std::uint32_t PoolCore::wanted() const {
  auto wanted = static_cast<std::uint32_t>(
    std::min<std::size_t>(sessions_to_serve() + lone_.size(), limits_.connections));
  const bool urgent = !waiting_.empty() && waiting_.front()->urgent;
  if (urgent || (!waiting_.empty() && !lane_has_room() && lanes_busy() < lane_limit()))
    wanted += 1;
  const auto total = static_cast<std::uint32_t>(connections_.size());
  const auto minimum = draining_ ? 0 : std::min(limits_.pool.min_size, limits_.connections);
  if (total + wanted < minimum)
    wanted = minimum - total;
  const bool usable = std::ranges::any_of(
    connections_, [](const auto& entry) { return entry.second.state == State::ready; });
  if (!usable && total < minimum && wanted == 0)
    wanted = 1;
  return wanted;
}

// One prober at a time while connecting fails; for ever while the server is down.
bool PoolCore::may_probe() const {
  const bool connecting = std::ranges::any_of(
    connections_, [](const auto& entry) { return entry.second.state == State::connecting; });
  return next_probe_ && !connecting && connections_.size() < limits_.connections
         && (down_ || wanted() > 0);
}

void PoolCore::grow(sdk::Instant now) {
  if (shut_)
    return;
  drop_overflow();
  if (failures_ > 0) {
    if (may_probe() && now >= *next_probe_) {
      last_probe_ = now;
      open(now);
    }
    return;
  }
  std::uint32_t connecting = 0;
  std::uint32_t working = 0;
  for (const auto& [id, connection] : connections_) {
    // One that is being checked is as good as a new one, as a rule.
    connecting += connection.state == State::connecting || connection.state == State::checking ? 1
                                                                                               : 0;
    working += connection.state == State::ready || connection.state == State::lent ? 1 : 0;
  }
  // 1, 2, 4, … at a time: a spike of short statements is over before a crowd of connections is
  // open.
  const auto wants = wanted();
  const auto at_once = std::max(1U, working);
  for (auto count = connections_.size();
       wants > connecting && connecting < at_once && count < limits_.connections; ++count) {
    open(now);
    ++connecting;
  }
}

// What was opened above `max_size` goes as soon as nobody needs it.
void PoolCore::drop_overflow() {
  if (connections_.size() <= limits_.pool.max_size || waiting() > 0 || !sessions_.empty())
    return;
  auto above = connections_.size() - count(State::closing);
  for (auto& [id, connection] : connections_) {
    if (above > limits_.pool.max_size && is_idle(connection)) {
      close(id, connection);
      --above;
    }
  }
}

void PoolCore::open(sdk::Instant now) {
  const auto id = ++last_connection_;
  connections_.emplace(id, Connection{}).first->second.since = now;
  actions_.emplace_back(OpenConnection{id});
}

void PoolCore::close(ConnectionId id, Connection& connection) {
  connection.state = State::closing;  // counts until the wire says that it is gone
  actions_.emplace_back(CloseConnection{id});
}

void PoolCore::connect_failed(const sdk::WireLoss& loss, sdk::Instant now) {
  ++failures_;
  refused_ = !loss.other_host_may_do;
  const auto ceiling = std::chrono::duration_cast<milliseconds>(
    sdk::Backoff{100ms, 10s}.ceiling(failures_));
  const auto half = ceiling.count() / 2;
  const milliseconds jittered{half + std::uniform_int_distribution<std::int64_t>{0, half}(random_)};
  next_probe_ = now + (refused_ && failures_ > refusals_until_slow ? refused_probe : jittered);
  if (!refused_ && failures_ < failures_until_down)
    return;
  // A server that is full, or whose password was changed, still serves those who are in: only
  // growth waits.
  const bool works = std::ranges::any_of(connections_, [](const auto& entry) {
    return entry.second.state == State::ready || entry.second.state == State::lent;
  });
  if (works)
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
  for (auto* queue : {&waiting_, &lone_}) {
    for (const auto& request : std::exchange(*queue, {})) {
      fail_unsent(request, error);
      complete(request);
    }
  }
  for (const auto& [due, request] : std::exchange(retries_, {})) {
    fail_unsent(request, error);
    complete(request);
  }
  for (const auto& request : std::exchange(sessions_, {}))
    request->answer(error);
}

// Up to a tenth early, so that what was opened together does not end together.
std::optional<sdk::Instant> PoolCore::retirement(sdk::Instant now) {
  const auto life = limits_.pool.max_lifetime.count();
  if (life == 0 || limits_.keeps_connection)
    return std::nullopt;
  return now
         + milliseconds{life - std::uniform_int_distribution<std::int64_t>{0, life / 10}(random_)};
}

void PoolCore::retire(sdk::Instant now) {
  if (limits_.keeps_connection)
    return;
  auto total = connections_.size() - count(State::closing);
  for (auto& [id, connection] : connections_) {
    // One that is never idle gets no more work: else it would live for ever.
    connection.retiring = connection.retiring
                          || (connection.retire_at && *connection.retire_at <= now);
    const bool idle = is_idle(connection) && limits_.pool.max_idle > 0ms
                      && connection.last_used + limits_.pool.max_idle <= now
                      && total > limits_.pool.min_size;
    if (idle) {
      close(id, connection);
      --total;
    }
  }
  finish_retiring(now);
}

std::optional<sdk::Instant> PoolCore::next_tick() const {
  std::optional<sdk::Instant> next;
  const auto at = [&next](sdk::Instant moment) {
    if (!next || moment < *next)
      next = moment;
  };
  if (next_expiry_ != sdk::Instant::max() && waiting() + sessions_.size() > 0)
    at(next_expiry_);
  if (!retries_.empty())
    at(retries_.begin()->first);
  if (failures_ > 0 && may_probe())
    at(*next_probe_);
  if (const auto care = next_care())
    at(*care);
  if (limits_.keeps_connection)
    return next;
  for (const auto& [id, connection] : connections_) {
    if (is_idle(connection) && limits_.pool.max_idle > 0ms
        && connections_.size() > limits_.pool.min_size)
      at(connection.last_used + limits_.pool.max_idle);
    if (connection.state == State::ready && connection.retire_at && !connection.retiring)
      at(*connection.retire_at);
  }
  return next;
}

}  // namespace millrace::actors::db
