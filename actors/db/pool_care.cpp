// Whether a connection is still good, and who holds one for too long.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <string>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr auto idle_before_check = 1s;
constexpr auto check_limit = 1s;  // then it counts as gone
constexpr std::chrono::milliseconds urgent_limit{1000};

std::shared_ptr<const sdk::Statement> check_statement() {
  static const auto statement = [] {
    sdk::Statement check{.sql = "SELECT 1"};
    check.options.idempotent = true;
    return std::make_shared<const sdk::Statement>(std::move(check));
  }();
  return statement;
}

sdk::Error took_too_long() {
  return {sdk::ErrorKind::timeout,
          "the transaction took longer than its time limit, and was rolled back",
          {.hint = "do less in one transaction, or raise its timeout", .code = "25P04"}};
}

sdk::Error sat_idle(std::chrono::milliseconds limit) {
  return {sdk::ErrorKind::transaction,
          "the transaction sat idle for more than " + std::to_string(limit.count())
            + " ms, and was rolled back",
          {.hint = "end transactions sooner, or raise idle_in_transaction", .code = "25P03"}};
}

sdk::Error no_answer(bool busy) {
  sdk::Error::Detail detail{.hint = "look at the server's load and the network",
                            .code = busy ? "pool_timeout" : "57014"};
  detail.retryable = true;  // a question changes nothing
  return {sdk::ErrorKind::timeout,
          "the database did not answer within " + std::to_string(urgent_limit.count()) + " ms",
          std::move(detail)};
}

}  // namespace

std::uint32_t PoolCore::count(State state) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(
    connections_, [state](const auto& entry) { return entry.second.state == state; }));
}

bool PoolCore::is_stale(const Connection& connection, sdk::Instant now) const {
  return limits_.pool.pre_ping && !limits_.keeps_connection
         && connection.last_used + idle_before_check < now;
}

// @returns false where as many are being asked as there are requests for them.
bool PoolCore::check(Connections::iterator connection, sdk::Instant now) {
  if (count(State::checking) >= sessions_to_serve() + lone_.size() + (waiting_.empty() ? 0 : 1))
    return false;
  connection->second.state = State::checking;
  connection->second.since = now;
  std::vector<sdk::WireEntry> entries;
  // A function may say that it only reads, and leave something behind all the same.
  if (connection->second.use != sdk::ConnectionUse::exclusive && !resets_.empty()) {
    add_resets(entries);
    connection->second.use = sdk::ConnectionUse::exclusive;
  }
  entries.push_back({.id = check_entry, .statement = check_statement()});
  actions_.emplace_back(SendEntries{connection->first, std::move(entries)});
  return true;
}

void PoolCore::checked(ConnectionId id, bool well, sdk::Instant now) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.state != State::checking)
    return;
  found->second.state = State::ready;
  found->second.last_used = now;
  if (!well)
    close(id, found->second);
}

void PoolCore::expire_checks(sdk::Instant now) {
  for (auto& [id, connection] : connections_) {
    if (connection.state != State::checking || connection.since + check_limit > now)
      continue;
    ++counters_.losses;
    metrics_->losses.add();
    close(id, connection);
  }
}

void PoolCore::report_leaks(sdk::Instant now) {
  if (limits_.pool.leak_threshold == 0ms)
    return;
  for (auto& [id, connection] : connections_) {
    if (connection.state != State::lent || connection.leak_told || connection.listens
        || connection.since + limits_.pool.leak_threshold > now)
      continue;
    connection.leak_told = true;
    metrics_->leaks.add();
    actions_.emplace_back(ReportLeak{
      connection.holder,
      std::chrono::duration_cast<std::chrono::milliseconds>(now - connection.since), false});
  }
}

bool PoolCore::may_open() const {
  return connections_.size() < limits_.connections && failures_ == 0 && !draining_;
}

// Ahead of all others, and not behind what users do, as long as there is a connection for it: an
// idle one, a new one, or the one that is least at work.
void PoolCore::serve_urgent(sdk::Instant now) {
  while (!waiting_.empty() && waiting_.front()->urgent) {
    auto best = connections_.end();
    for (auto it = connections_.begin(); it != connections_.end(); ++it) {
      const auto& one = it->second;
      // What runs alone on its connection may take long.
      const auto ahead = [](const Connection& other) {
        return std::pair{other.alone && other.in_flight > 0, other.in_flight};
      };
      if (one.state == State::ready && !one.retiring
          && (best == connections_.end() || ahead(one) < ahead(best->second)))
        best = it;
    }
    if (best == connections_.end() || (best->second.in_flight > 0 && may_open()))
      return;
    const auto request = waiting_.front();
    waiting_.pop_front();
    metrics_->wait.observe(now - request->accepted);
    request->connection = best->first;
    auto& item = request->items.front();
    item.in_flight = true;
    ++item.attempts;
    request->sent = 1;
    request->in_flight = 1;
    Group group{.id = ++last_group_, .use = best->second.use};
    group.members.push_back({request, 0});
    send(best->first, best->second, std::move(group));
  }
}

void PoolCore::expire_urgent(sdk::Instant now) {
  for (const auto& request : urgent_) {
    if (request->accepted + urgent_limit > now)
      continue;
    const auto on = connections_.find(request->connection);
    // Where others are answered meanwhile the server is well, and only busy.
    if (on == connections_.end())
      request->answer(waited_too_long(urgent_limit));
    else
      request->answer(no_answer(on->second.last_used > request->accepted));
  }
  std::erase_if(
    urgent_, [now](const RequestPtr& request) { return request->accepted + urgent_limit <= now; });
}

void PoolCore::lend(Connection& connection, const SessionRequest& request, sdk::Instant now) {
  const auto& options = request.options;
  connection.state = State::lent;
  connection.since = now;
  connection.writes = !options.read_only;
  connection.holder = options.holder;
  connection.leak_told = false;
  connection.listens = options.plain;
  connection.ends_at = options.timeout ? std::optional{now + *options.timeout} : std::nullopt;
  connection.idle_limit = options.idle_timeout.value_or(limits_.idle_in_transaction);
  connection.look_again = connection.idle_limit > 0ms ? std::optional{now + connection.idle_limit}
                                                      : std::nullopt;
  connection.pulse = std::make_shared<SessionPulse>();
  connection.pulse->rest(now);
}

void PoolCore::expire_sessions(sdk::Instant now) {
  for (auto& [id, connection] : connections_) {
    if (connection.state != State::lent)
      continue;
    if (connection.ends_at && *connection.ends_at <= now) {
      actions_.emplace_back(ExpireSession{id, took_too_long()});
    } else if (connection.look_again && *connection.look_again <= now) {
      const auto since = connection.pulse->resting_since();
      if (!since || *since + connection.idle_limit > now) {
        connection.look_again = since.value_or(now) + connection.idle_limit;
        continue;
      }
      actions_.emplace_back(ExpireSession{id, sat_idle(connection.idle_limit)});
    } else {
      continue;
    }
    connection.ends_at.reset();
    connection.look_again.reset();
  }
}

void PoolCore::leave_servers(sdk::Instant now) {
  if (limits_.keeps_connection)
    return;
  for (auto& [id, connection] : connections_)
    connection.retiring = connection.retiring || connection.state != State::connecting;
  finish_retiring(now);
}

void PoolCore::finish_retiring(sdk::Instant now) {
  for (auto& [id, connection] : connections_) {
    if (!connection.retiring || connection.state != State::ready || connection.in_flight > 0)
      continue;
    // The rest of what it was at work on goes on elsewhere.
    if (auto rest = std::exchange(connection.partial, nullptr)) {
      leave_connection(rest);
      requeue(rest, now);
    }
    if (reserved_ == id)
      reserved_ = 0;
    close(id, connection);
  }
}

std::vector<TransactionInfo> PoolCore::transactions(sdk::Instant now) const {
  std::vector<TransactionInfo> open;
  for (const auto& [id, connection] : connections_) {
    if (connection.state == State::lent)
      open.push_back({connection.holder,
                      std::chrono::duration_cast<std::chrono::milliseconds>(now - connection.since),
                      connection.writes});
  }
  std::ranges::sort(open, std::ranges::greater{}, &TransactionInfo::age);
  return open;
}

std::optional<sdk::Instant> PoolCore::next_care() const {
  std::optional<sdk::Instant> next;
  const auto at = [&next](sdk::Instant moment) {
    if (!next || moment < *next)
      next = moment;
  };
  for (const auto& request : urgent_)
    at(request->accepted + urgent_limit);
  for (const auto& [id, connection] : connections_) {
    if (connection.state == State::checking)
      at(connection.since + check_limit);
    if (connection.state != State::lent)
      continue;
    if (!connection.leak_told && !connection.listens && limits_.pool.leak_threshold > 0ms)
      at(connection.since + limits_.pool.leak_threshold);
    if (connection.ends_at)
      at(*connection.ends_at);
    if (connection.look_again)
      at(*connection.look_again);
  }
  return next;
}

sdk::Error demoted_error(const sdk::Error& refused) {
  sdk::Error::Detail detail{.hint = "the pool looks for a host that takes writes",
                            .code = refused.code()};
  detail.retryable = true;
  return {sdk::ErrorKind::connection, "the server takes no writes any more: " + refused.message(),
          std::move(detail)};
}

}  // namespace millrace::actors::db
