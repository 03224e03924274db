// What goes to which connection: autocommit statements share a few (the lane), sessions have one
// each.
#include "actors/db/pool_core.hpp"

#include <algorithm>

namespace millrace::actors::db {

namespace {

constexpr unsigned item_bits = 24;

}  // namespace

void PoolCore::balance(sdk::Instant now) {
  if (shut_)
    return;
  now_ = now;
  serve_urgent(now);
  serve_reserved(now);
  // Connections of the lane that have room again, then idle ones for whoever waits longest.
  for (auto& [id, connection] : connections_) {
    if (connection.state == State::ready && (connection.in_flight > 0 || connection.partial))
      feed(id, connection);
  }
  while (true) {
    const auto idle = pick_idle();
    if (idle == connections_.end())
      break;
    const bool lane = !waiting_.empty() && !lane_has_room() && lanes_busy() < limits_.lane;
    const auto session = next_session();
    if (!lane && session == sessions_.end())
      break;
    if (is_stale(idle->second, now)) {
      if (!check(idle, now))
        break;
    } else if (session != sessions_.end() && (!lane || (*session)->id < waiting_.front()->id)) {
      grant(idle, session, now);
    } else if (lane) {
      feed(idle->first, idle->second);
      // What waits is bound to other connections by its order.
      if (idle->second.in_flight == 0)
        break;
    }
  }
  reserve_for_sessions();
  grow(now);
}

bool PoolCore::is_idle(const Connection& connection) const {
  return connection.state == State::ready && connection.in_flight == 0 && !connection.partial
         && !connection.retiring;
}

PoolCore::Connections::iterator PoolCore::pick_idle() {
  auto best = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (!is_idle(it->second) || it->first == reserved_)
      continue;
    const bool better = best == connections_.end()
                        || (limits_.pool.lifo ? it->second.last_used > best->second.last_used
                                              : it->second.last_used < best->second.last_used);
    if (better)
      best = it;
  }
  return best;
}

std::uint32_t PoolCore::lanes_busy() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(connections_, [](const auto& entry) {
    return entry.second.state == State::ready && entry.second.in_flight > 0
           && !entry.second.retiring;
  }));
}

// Whether a connection at work will take what waits soon enough: then no other one is started for
// it.
bool PoolCore::lane_has_room() const {
  return std::ranges::any_of(connections_, [this](const auto& entry) {
    const auto& [id, connection] = entry;
    return connection.state == State::ready && id != reserved_ && !connection.retiring
           && connection.in_flight > 0 && connection.in_flight <= limits_.pool.lane_depth / 2
           && !connection.partial;
  });
}

void PoolCore::feed(ConnectionId id, Connection& connection) {
  // Refilled in lumps: a half-empty pipeline is still full for the server.
  const auto depth = limits_.pool.lane_depth;
  if (id == reserved_ || connection.retiring)
    return;
  while (connection.in_flight <= depth / 2) {
    if (!connection.partial)
      connection.partial = next_for(id);
    if (!connection.partial)
      return;
    dispatch(id, connection, connection.partial);
  }
}

void PoolCore::dispatch(ConnectionId id, Connection& connection, const RequestPtr& request) {
  const auto depth = limits_.pool.lane_depth;
  const auto left = request->todo.size() - request->sent;
  const auto room = depth > connection.in_flight ? depth - connection.in_flight : 1;
  const auto count = request->atomic ? left : std::min<std::size_t>(left, room);
  std::vector<sdk::WireEntry> entries;
  entries.reserve(count);
  request->connection = id;
  for (std::size_t i = 0; i < count; ++i) {
    const auto index = request->todo[request->sent++];
    auto& item = request->items[index];
    item.in_flight = true;
    ++item.attempts;
    entries.push_back({.id = (request->id << item_bits) | index,
                       .statement = request->statements[item.statement],
                       .set = item.set,
                       .sync = !request->atomic || i + 1 == count});
  }
  request->in_flight += static_cast<std::uint32_t>(count);
  connection.in_flight += static_cast<std::uint32_t>(count);
  metrics_->depth.observe(static_cast<double>(connection.in_flight));
  if (request->sent == request->todo.size())
    connection.partial.reset();
  actions_.emplace_back(SendEntries{id, std::move(entries)});
}

void PoolCore::grant(Connections::iterator connection,
                     std::deque<SessionRequestPtr>::iterator session, sdk::Instant now) {
  metrics_->wait.observe(now - (*session)->accepted);
  lend(connection->second, **session, now);
  actions_.emplace_back(GrantSession{connection->first, *session, connection->second.pulse});
  sessions_.erase(session);
}

// A session that no idle connection can serve takes one from the lane: it gets no more work, and is
// lent once it is empty.
void PoolCore::reserve_for_sessions() {
  if (next_session() == sessions_.end()) {
    reserved_ = 0;
    return;
  }
  if (reserved_ != 0 || connections_.size() < limits_.connections || count(State::checking) > 0)
    return;
  auto least = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (it->second.state == State::ready && it->second.in_flight > 0 && !it->second.retiring
        && (least == connections_.end() || it->second.in_flight < least->second.in_flight))
      least = it;
  }
  if (least != connections_.end())
    reserved_ = least->first;
}

void PoolCore::serve_reserved(sdk::Instant now) {
  const auto found = connections_.find(reserved_);
  if (found == connections_.end() || found->second.state != State::ready
      || found->second.in_flight > 0)
    return;
  reserved_ = 0;
  // The rest of what it was at work on goes on wherever there is room.
  if (auto rest = std::exchange(found->second.partial, nullptr)) {
    leave_connection(rest);
    requeue(rest, now);
  }
  if (const auto session = next_session(); session != sessions_.end())
    grant(found, session, now);
}

}  // namespace millrace::actors::db
