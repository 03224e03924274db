// What goes to which connection: autocommit statements share a few (the lane), sessions and
// statements that may not be shared have one each.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t groups_in_flight = 2;  // of statements that are joined
constexpr auto worth_another = 1ms;  // of work ahead: below it one hot connection is quicker
constexpr auto unknown_cost = 20us;
constexpr auto nobody = ~std::uint64_t{0};  // older than no request

sdk::ConnectionUse use_for(Place place) noexcept {
  switch (place) {
  case Place::reads:
    return sdk::ConnectionUse::reads;
  case Place::writes:
    return sdk::ConnectionUse::writes;
  case Place::exclusive:
  case Place::unknown:
    break;
  }
  return sdk::ConnectionUse::exclusive;
}

std::size_t bytes_of(const sdk::Parameters& parameters) noexcept {
  std::size_t bytes = 0;
  for (const auto& value : parameters)
    bytes += 16 + value.heap_bytes();
  return bytes;
}

}  // namespace

void PoolCore::balance(sdk::Instant now) {
  if (shut_)
    return;
  now_ = now;
  if (!inspected_.empty())
    take_inspections(now);
  trace_statements(now);
  serve_urgent(now);
  serve_reserved(now);
  // Connections that have room again, then idle ones for whoever waits longest.
  for (auto& [id, connection] : connections_) {
    if (connection.state == State::ready && (connection.in_flight > 0 || connection.partial))
      feed(id, connection);
  }
  while (true) {
    const auto session = next_session();
    const bool has_session = session != sessions_.end();
    const bool lane = !waiting_.empty() && !lane_has_room() && lanes_busy() < lane_limit();
    const bool lone = !lone_.empty();
    if (!lane && !lone && !has_session)
      break;
    const auto lane_age = lane ? waiting_.front()->id : nobody;
    const auto lone_age = lone ? lone_.front()->id : nobody;
    const auto session_age = has_session ? (*session)->id : nobody;
    const bool lane_first = lane && lane_age <= std::min(lone_age, session_age);
    const auto idle = pick_idle(lane_first ? use_for(waiting_.front()->place)
                                           : sdk::ConnectionUse::exclusive);
    if (idle == connections_.end())
      break;
    if (is_stale(idle->second, now)) {
      if (!check(idle, now))
        break;
    } else if (has_session && session_age < std::min(lane_age, lone_age)) {
      grant(idle, session, now);
    } else {
      idle->second.alone = !lane_first;
      feed(idle->first, idle->second);
      // What waits is bound to other connections by its order.
      if (idle->second.in_flight == 0) {
        idle->second.alone = false;
        break;
      }
    }
  }
  reserve_for_sessions();
  grow(now);
}

bool PoolCore::is_idle(const Connection& connection) const {
  return connection.state == State::ready && connection.in_flight == 0 && !connection.partial
         && !connection.retiring;
}

// One that needs no change, the one used last of these.
PoolCore::Connections::iterator PoolCore::pick_idle(sdk::ConnectionUse wanted) {
  auto best = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (!is_idle(it->second) || it->first == reserved_)
      continue;
    if (best != connections_.end() && (it->second.use == wanted) != (best->second.use == wanted)) {
      if (it->second.use == wanted)
        best = it;
      continue;
    }
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
           && !entry.second.retiring && !entry.second.alone;
  }));
}

// Reads want few connections that are hot. Writes that wait for the disk want many: one flush
// serves all that commit at the time.
std::uint32_t PoolCore::lane_limit() const {
  if (limits_.inspector == nullptr || waiting_.empty() || limits_.pool.lane_connections > 0
      || waiting_.front()->place != Place::writes)
    return limits_.lane;
  const auto& cost = waiting_.front()->plan->cost(Way::each);
  return cost.known() && cost.average() > unknown_cost ? limits_.connections : limits_.lane;
}

// Whether a connection at work will take what waits soon enough: then no other one is started for
// it.
bool PoolCore::lane_has_room() const {
  const bool joined = !waiting_.empty() && joins(*waiting_.front());
  const auto room = waiting_.empty() ? limits_.pool.lane_depth : depth_for(*waiting_.front());
  return std::ranges::any_of(connections_, [&](const auto& entry) {
    const auto& [id, connection] = entry;
    if (connection.state != State::ready || id == reserved_ || connection.retiring
        || connection.alone || connection.in_flight == 0)
      return false;
    if (joined)
      return connection.busy_until - now_ < worth_another;
    return connection.in_flight <= room / 2 && !connection.partial;
  });
}

bool PoolCore::joins(const Request& request) const {
  return limits_.batching && !request.urgent && !request.internal && !request.atomic
         && request.plan->is_joinable() && request.statements.front()->options.batching
         && !request.plan->joining_is_paused(now_);
}

// As many as the server does in a short while, so that the rest can go where another one is free.
std::size_t PoolCore::depth_for(const Request& request) const {
  const std::size_t depth = limits_.pool.lane_depth;
  if (!request.plan || request.place != Place::writes)
    return depth;
  const auto& cost = request.plan->cost(Way::each);
  if (!cost.known() || cost.average() <= unknown_cost)
    return depth;
  return static_cast<std::size_t>(std::clamp<std::int64_t>(
    2 * worth_another / cost.average(), std::min<std::int64_t>(2, static_cast<std::int64_t>(depth)),
    static_cast<std::int64_t>(depth)));
}

void PoolCore::feed(ConnectionId id, Connection& connection) {
  if (id == reserved_ || connection.retiring)
    return;
  while (send_next(id, connection)) {
  }
  if (connection.alone && connection.in_flight == 0 && !connection.partial)
    connection.alone = false;
}

// @returns false where the connection takes nothing more for now.
bool PoolCore::send_next(ConnectionId id, Connection& connection) {
  // Refilled in lumps: a half-empty pipeline is still full for the server.
  const bool each = connection.in_flight <= limits_.pool.lane_depth / 2;
  const bool joined = connection.groups.size() < groups_in_flight;
  if (!each && !joined)
    return false;
  if (!connection.partial) {
    // One that is alone takes the next when it is done with what it has.
    if (connection.alone && connection.in_flight > 0)
      return false;
    connection.partial = next_for(id, {.alone = connection.alone, .each = each, .joined = joined});
  }
  if (!connection.partial)
    return false;
  const auto& request = connection.partial;
  const bool one_by_one = request->items[request->todo[request->sent]].most_together == 1;
  const bool joins_others = !connection.alone && !one_by_one && joins(*request);
  // What may fail with its group and run again keeps its order only where nothing follows it.
  const bool waits = request->joined > 0 && request->place != Place::reads;
  const auto depth = connection.alone ? limits_.pool.lane_depth : depth_for(*request);
  if (waits || (joins_others ? !joined : connection.in_flight > depth / 2))
    return false;
  Group group{.id = ++last_group_,
              .use = limits_.inspector ? use_for(request->place) : sdk::ConnectionUse::exclusive};
  Choice choice{
    .size = static_cast<std::uint32_t>(
      request->atomic
        ? request->todo.size() - request->sent
        : std::max<std::size_t>(1, depth - std::min<std::size_t>(depth, connection.in_flight)))};
  if (joins_others) {
    const auto slots = static_cast<std::uint32_t>(groups_in_flight - connection.groups.size());
    choice = batching_.choose(*request->plan, request->statements.front()->options,
                              request->todo.size() - request->sent + waiting_.size(), slots,
                              request->items[request->todo[request->sent]].most_together, now_);
    if (request->plan->wants_inspection(now_)) {
      const auto cause = request;
      inspect(cause->plan, cause->statements.front(), cause->backlog, now_);
    }
  }
  group.way = choice.way;
  group.why = joins_others ? choice.why : one_by_one ? WhyNot::failing : why_alone(*request);
  gather(id, connection, choice, group);
  // One alone has nobody to share with.
  if (group.members.size() == 1 && std::exchange(group.way, Way::each) != Way::each)
    group.why = WhyNot::nobody_else;
  send(id, connection, std::move(group));
  return true;
}

void PoolCore::gather(ConnectionId id, Connection& connection, const Choice& choice, Group& group) {
  auto size = choice.size;
  std::size_t bytes = 0;
  const bool joined = choice.way != Way::each;
  const auto first = connection.partial;
  group.plan = first->atomic ? nullptr : first->plan;
  const bool alone_first = first->items[first->todo[first->sent]].most_together == 1;
  const auto form = choice.way == Way::set ? first->plan->form() : nullptr;
  const Filter others{.plan = choice.alike ? first->plan.get() : nullptr, .like = first.get()};
  group.members.reserve(size);
  while (connection.partial && group.members.size() < size) {
    const auto request = connection.partial;
    const auto before = group.members.size();
    while (request->sent < request->todo.size() && group.members.size() < size) {
      const auto index = request->todo[request->sent];
      auto& item = request->items[index];
      const auto& set = request->statements[item.statement]->sets[item.set];
      // Those that must go alone come one after the other, and the rest joins again.
      if (!joined && alone_first && item.most_together != 1) {
        size = static_cast<std::uint32_t>(group.members.size());
        break;
      }
      if (joined) {
        // What failed goes with few, and not with those that did not.
        if (item.most_together > 0)
          size = std::min<std::uint32_t>(size, item.most_together);
        bytes += bytes_of(set);
        const bool fits = group.members.size() < size && bytes <= Batching::most_bytes
                          && (!form || set.size() == form->parameters.size());
        if (!fits) {
          size = static_cast<std::uint32_t>(group.members.size());
          if (size > 0)
            break;
          // It is alone with its trouble.
          group.way = Way::each;
          group.why = WhyNot::failing;
          size = 1;
        }
      }
      ++request->sent;
      item.in_flight = true;
      ++item.attempts;
      group.members.push_back({request, index});
    }
    const auto taken = static_cast<std::uint32_t>(group.members.size() - before);
    request->in_flight += taken;
    request->connection = id;
    if (request->sent < request->todo.size() || group.members.size() >= size) {
      if (request->sent == request->todo.size())
        connection.partial.reset();
      break;
    }
    connection.partial.reset();
    if (!first->atomic && !connection.alone && !first->urgent)
      connection.partial = next_for(id, others);
    if (connection.partial && connection.partial->plan != group.plan)
      group.plan.reset();
  }
}

void PoolCore::grant(Connections::iterator connection,
                     std::deque<SessionRequestPtr>::iterator session, sdk::Instant now) {
  metrics_->wait.observe(now - (*session)->accepted);
  std::vector<sdk::WireEntry> entries;
  prepare_use(connection->second, sdk::ConnectionUse::exclusive, entries);
  lend(connection->second, **session, now);
  actions_.emplace_back(
    GrantSession{connection->first, *session, std::move(entries), connection->second.pulse});
  sessions_.erase(session);
}

// Who wants a connection for himself and finds none idle gets one of the lane: it is given no more
// work, and is lent once it is empty.
void PoolCore::reserve_for_sessions() {
  if (next_session() == sessions_.end() && lone_.empty()) {
    reserved_ = 0;
    return;
  }
  if (reserved_ != 0 || connections_.size() < limits_.connections || count(State::checking) > 0)
    return;
  auto least = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    if (it->second.state == State::ready && it->second.in_flight > 0 && !it->second.retiring
        && !it->second.alone
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
  const auto session = next_session();
  const bool lone = !lone_.empty()
                    && (session == sessions_.end() || lone_.front()->id < (*session)->id);
  if (lone) {
    found->second.alone = true;
    feed(found->first, found->second);
  } else if (session != sessions_.end()) {
    grant(found, session, now);
  }
}

}  // namespace millrace::actors::db
