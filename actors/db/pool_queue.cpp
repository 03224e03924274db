// Who waits in a pool: in which order, for how long, and how many.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <string>

namespace millrace::actors::db {

namespace {

std::uint64_t key_of(const RequestPtr& request) {
  return request->statements.front()->options.order_key;
}

}  // namespace

std::optional<sdk::Error> PoolCore::refusal(bool backlog, sdk::Instant now, bool internal) const {
  if (shut_)
    return sdk::Error{sdk::ErrorKind::connection, "the database pool is closed"};
  if (draining_ && !internal)
    return sdk::Error{sdk::ErrorKind::connection,
                      "the database pool is closing, and takes no more requests"};
  if (down_)
    return down_error(now);
  if (!backlog && waiting() + sessions_.size() >= limits_.pool.max_waiting) {
    metrics_->exhausted.add();
    sdk::Error::Detail detail{.hint = "raise pool.max_waiting, or send less at a time",
                              .code = "pool_exhausted"};
    detail.retryable = true;
    return sdk::Error{sdk::ErrorKind::overloaded,
                      "as many requests wait for the pool of '" + limits_.server + "' as may "
                        + figures(),
                      std::move(detail)};
  }
  return std::nullopt;
}

// A pipeline's backlog is back-pressure: it waits as long as it takes.
sdk::Instant PoolCore::deadline_of(bool backlog, std::chrono::milliseconds limit,
                                   sdk::Instant now) {
  if (backlog)
    return sdk::Instant::max();
  const auto deadline = now + limit;
  next_expiry_ = std::min(next_expiry_, deadline);
  return deadline;
}

void PoolCore::accept(const RequestPtr& request, sdk::Instant now) {
  request->id = ++last_request_;
  request->accepted = now;
  request->deadline = deadline_of(
    request->backlog,
    request->urgent && !request->about ? std::chrono::milliseconds{1000} : limits_.pool.timeout,
    now);
  request->open = true;
  open_.emplace(request->id, request);
  if (const auto key = key_of(request); key != 0)
    ++keys_[key].requests;
  place(*request, now);
  if (!request->open)
    return;  // its statement must not run here
  if (request->place == Place::unknown)
    hold(request, now);
  else if (request->urgent)
    waiting_.push_front(request);
  else
    queue_of(*request).push_back(request);
  if (request->urgent && !request->about)
    urgent_.push_back(request);
}

void PoolCore::accept(SessionRequestPtr request, sdk::Instant now) {
  request->id = ++last_request_;
  request->accepted = now;
  request->deadline = deadline_of(request->backlog, limits_.pool.timeout, now);
  sessions_.push_back(std::move(request));
}

// Back to where it stood by its age: what is younger must not overtake it.
void PoolCore::requeue(const RequestPtr& request, sdk::Instant now) {
  request->deadline = deadline_of(request->backlog, limits_.pool.timeout, now);
  auto& queue = queue_of(*request);
  const auto place = std::ranges::find_if(queue, [&request](const RequestPtr& other) {
    return !other->urgent && other->id > request->id;
  });
  queue.insert(place, request);
}

void PoolCore::wait_for_retry(const RequestPtr& request, sdk::Instant due) {
  request->retrying = true;
  if (const auto key = keys_.find(key_of(request)); key != keys_.end())
    ++key->second.retrying;
  retries_.emplace(due, request);
}

void PoolCore::end_retry(const RequestPtr& request) {
  if (!std::exchange(request->retrying, false))
    return;
  if (const auto key = keys_.find(key_of(request)); key != keys_.end())
    --key->second.retrying;
}

void PoolCore::requeue_retries(sdk::Instant now) {
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const auto request = retries_.begin()->second;
    retries_.erase(retries_.begin());
    end_retry(request);
    requeue(request, now);
  }
}

std::deque<RequestPtr>& PoolCore::queue_of(const Request& request) {
  return request.place == Place::exclusive ? lone_ : waiting_;
}

bool PoolCore::fits(const Request& request, const Filter& filter) const {
  if (filter.alone)
    return true;
  const bool joined = joins(request);
  if (joined ? !filter.joined : !filter.each)
    return false;
  if (filter.plan && request.plan.get() != filter.plan)
    return false;
  if (!filter.like)
    return true;
  const auto& mine = request.statements.front()->options;
  const auto& others = filter.like->statements.front()->options;
  return request.place == filter.like->place && !request.urgent && !request.atomic
         && joined == joins(*filter.like) && mine.timeout == others.timeout
         && mine.read_only == others.read_only && mine.batching == others.batching;
}

RequestPtr PoolCore::next_for(ConnectionId id, const Filter& filter) {
  // A request whose order key is at work elsewhere, or waits for a retry, stays; a later one of the
  // same key must not overtake it. Nor one in a group that may fail as a whole, and then run again.
  constexpr std::size_t look_ahead = 256;
  std::vector<std::uint64_t> held_back;
  auto& queue = filter.alone ? lone_ : waiting_;
  const auto end = std::min(queue.size(), look_ahead);
  for (std::size_t i = 0; i < end; ++i) {
    const auto key = key_of(queue[i]);
    const bool taken = fits(*queue[i], filter);
    if (key != 0) {
      auto& order = keys_[key];
      const bool reads = queue[i]->place == Place::reads;
      const bool behind = order.joined_writes > 0 || (!reads && order.joined_reads > 0);
      const bool elsewhere = order.assigned > 0 && order.connection != id;
      if (!taken || elsewhere || behind || order.retrying > 0
          || std::ranges::find(held_back, key) != held_back.end()) {
        held_back.push_back(key);
        continue;
      }
      order.connection = id;
      ++order.assigned;
    }
    if (!taken)
      continue;
    auto request = std::move(queue[i]);
    request->connection = id;
    if (request->items.front().attempts == 0)
      metrics_->wait.observe(now_ - request->accepted);
    queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    return request;
  }
  return nullptr;
}

// The key is bound to a connection only as long as requests of it are at work there.
void PoolCore::unassign(const RequestPtr& request) {
  if (std::exchange(request->connection, 0) == 0)
    return;
  const auto key = keys_.find(key_of(request));
  if (key != keys_.end() && key->second.assigned > 0)
    --key->second.assigned;
  if (std::exchange(request->holds_key, false) && key != keys_.end())
    --(request->place == Place::reads ? key->second.joined_reads : key->second.joined_writes);
}

void PoolCore::leave_connection(const RequestPtr& request) {
  if (const auto found = connections_.find(request->connection); found != connections_.end()) {
    if (found->second.partial == request)
      found->second.partial.reset();
  }
  unassign(request);
}

void PoolCore::complete(const RequestPtr& request) {
  unassign(request);
  end_retry(request);
  const auto key = keys_.find(key_of(request));
  if (key != keys_.end() && --key->second.requests == 0)
    keys_.erase(key);
  // `request` may be the very one that is let go.
  const RequestPtr kept{request};  // NOLINT(performance-unnecessary-copy-initialization)
  kept->open = false;
  open_.erase(kept->id);
  if (kept->urgent)
    std::erase(urgent_, kept);
  kept->answer();
}

// For the errors of a pool that has no more to give.
std::string PoolCore::figures() const {
  const auto now = info();
  return "(" + std::to_string(now.total) + " of " + std::to_string(limits_.connections) + " open, "
         + std::to_string(now.checked_out) + " in transactions, " + std::to_string(now.waiting)
         + " requests waiting)";
}

sdk::Error PoolCore::waited_too_long(std::chrono::milliseconds limit) const {
  sdk::Error::Detail detail{.hint = "raise pool.max_size, or hold transactions for a shorter time",
                            .code = "pool_timeout"};
  detail.retryable = true;
  return {sdk::ErrorKind::timeout,
          "no connection of '" + limits_.server + "' became free within "
            + std::to_string(limit.count()) + " ms " + figures(),
          std::move(detail)};
}

void PoolCore::expire_waiting(sdk::Instant now) {
  if (next_expiry_ > now)
    return;
  const auto error = waited_too_long(limits_.pool.timeout);
  next_expiry_ = sdk::Instant::max();
  const auto stays = [this, now](const auto& request) {
    if (request->deadline <= now)
      return false;
    next_expiry_ = std::min(next_expiry_, request->deadline);
    return true;
  };
  for (auto* queue : {&waiting_, &lone_}) {
    std::deque<RequestPtr> left;
    for (auto& request : std::exchange(*queue, {})) {
      if (stays(request)) {
        left.push_back(std::move(request));
        continue;
      }
      metrics_->exhausted.add();
      fail_unsent(request, error);
      complete(request);
    }
    *queue = std::move(left);
  }
  std::deque<SessionRequestPtr> sessions;
  for (auto& request : std::exchange(sessions_, {})) {
    if (stays(request))
      sessions.push_back(std::move(request));
    else {
      metrics_->exhausted.add();
      request->answer(error);
    }
  }
  sessions_ = std::move(sessions);
}

// Where the driver has one writer, the writing sessions take turns here, in their order, rather
// than at its lock.
std::deque<SessionRequestPtr>::iterator PoolCore::next_session() {
  if (sessions_.empty() || may_write() > 0)
    return sessions_.begin();
  return std::ranges::find_if(
    sessions_, [](const SessionRequestPtr& request) { return request->options.read_only; });
}

std::uint32_t PoolCore::may_write() const {
  std::uint32_t writing = 0;
  for (const auto& [id, connection] : connections_)
    writing += connection.state == State::lent && connection.writes ? 1 : 0;
  return limits_.writing_sessions - std::min(writing, limits_.writing_sessions);
}

std::size_t PoolCore::sessions_to_serve() const {
  const auto reading = std::ranges::count_if(
    sessions_, [](const SessionRequestPtr& request) { return request->options.read_only; });
  const auto all = sessions_.size();
  const auto readers = static_cast<std::size_t>(reading);
  return readers + std::min<std::size_t>(all - readers, may_write());
}

}  // namespace millrace::actors::db
