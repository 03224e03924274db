#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

namespace {

// The id of an entry names its request and, in the low bits, its item.
constexpr unsigned item_bits = 24;
constexpr std::uint64_t item_mask = (std::uint64_t{1} << item_bits) - 1;

sdk::Error too_many_sets() {
  return {sdk::ErrorKind::execution, "one message carries at most 16777215 parameter sets"};
}

}  // namespace

PoolCore::PoolCore(PoolLimits limits, std::uint64_t seed)
  : limits_{std::move(limits)},
    metrics_{limits_.metrics ? limits_.metrics : std::make_shared<PoolMetrics>(limits_.server)},
    retry_{limits_.retry, seed},
    random_{seed},
    plans_{limits_.inspector != nullptr},
    batching_{limits_.batching, limits_.pool.lane_depth} {
  for (std::size_t use = 0; use < uses_.size(); ++use) {
    for (const auto& sql : limits_.use_sql[use])
      uses_[use].push_back(std::make_shared<const sdk::Statement>(sdk::Statement{.sql = sql}));
  }
  for (const auto& sql : limits_.reset_sql)
    resets_.push_back(std::make_shared<const sdk::Statement>(sdk::Statement{.sql = sql}));
  limits_.connections = std::max(1U, limits_.connections);
  limits_.lane = std::clamp(limits_.lane, 1U, limits_.connections);
}

void PoolCore::start(sdk::Instant now) {
  balance(now);
}

void PoolCore::enqueue(RequestPtr request, sdk::Instant now) {
  if (auto error = refusal(request->backlog || request->internal, now, request->internal)) {
    request->refuse(*error);
    // Somebody wants the server: look sooner whether it is back.
    if (down_ && next_probe_ && !refused_)
      next_probe_ = std::min(*next_probe_, std::max(now, last_probe_ + std::chrono::seconds{1}));
  } else if (request->items.empty()) {
    request->answer();
  } else if (request->items.size() > item_mask) {
    request->refuse(too_many_sets());
  } else {
    accept(request, now);
  }
}

void PoolCore::submit(RequestPtr request, sdk::Instant now) {
  enqueue(std::move(request), now);
  balance(now);
}

void PoolCore::submit(std::vector<RequestPtr> requests, sdk::Instant now) {
  for (auto& request : requests)
    enqueue(std::move(request), now);
  balance(now);
}

void PoolCore::submit(SessionRequestPtr request, sdk::Instant now) {
  if (auto error = refusal(request->backlog, now)) {
    request->answer(*error);
    if (down_ && next_probe_ && !refused_)
      next_probe_ = std::min(*next_probe_, std::max(now, last_probe_ + std::chrono::seconds{1}));
  } else {
    accept(std::move(request), now);
  }
  balance(now);
}

void PoolCore::connected(ConnectionId id, sdk::Instant now) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.state != State::connecting)
    return;
  found->second.state = State::ready;
  found->second.last_used = now;
  found->second.retire_at = retirement(now);
  metrics_->connect.observe(now - found->second.since);
  metrics_->connects.add();
  ++counters_.connects;
  failures_ = 0;
  refused_ = false;
  down_.reset();
  next_probe_.reset();
  balance(now);
}

void PoolCore::answered(ConnectionId id, std::vector<ItemAnswer> answers, sdk::Instant now) {
  now_ = now;
  const auto found = connections_.find(id);
  std::vector<RequestPtr> touched;
  for (auto& answer : answers) {
    if (answer.id == check_entry) {
      checked(id, answer.result.has_value(), now);
      continue;
    }
    if (found == connections_.end())
      continue;
    auto& groups = found->second.groups;
    const auto group = std::ranges::find(groups, answer.id >> item_bits, &Group::id);
    if (group != groups.end())
      settle(found->second, *group, std::move(answer));
  }
  if (found != connections_.end()) {
    finish_groups(found->second, touched, now);
    found->second.last_used = now;
  }
  if (std::exchange(demoted_, false))
    leave_servers(now);
  for (const auto& request : touched)
    finish_round(request, now);
  finish_retiring(now);
  balance(now);
}

void PoolCore::finish_atomic(const RequestPtr& request) {
  const RequestItem* guilty = nullptr;
  for (const auto& item : request->items) {
    if (item.result && !*item.result
        && (guilty == nullptr || item.result->error().kind() != sdk::ErrorKind::transaction
            || item.result->error().code() != "25P02"))
      guilty = &item;
  }
  if (guilty == nullptr)
    return;
  if (const auto wait = retry_.after_error(guilty->result->error(), guilty->attempts)) {
    note_retry(guilty->result->error(), guilty->attempts, *wait);
    request->again_after = *wait;
    for (std::uint32_t i = 0; i < request->items.size(); ++i) {
      request->items[i].result.reset();
      request->again.push_back(i);
    }
  }
}

void PoolCore::finish_round(const RequestPtr& request, sdk::Instant now) {
  if (!request->open || request->in_flight > 0)
    return;
  if (request->sent < request->todo.size()) {
    const auto at = connections_.find(request->connection);
    if (at != connections_.end() && at->second.partial == request)
      return;  // the rest goes out there
    request->todo.erase(request->todo.begin(),
                        request->todo.begin() + static_cast<std::ptrdiff_t>(request->sent));
    request->sent = 0;
    leave_connection(request);
    requeue(request, now);
    return;
  }
  if (request->atomic && request->again.empty())
    finish_atomic(request);
  if (request->again.empty()) {
    complete(request);
    return;
  }
  std::ranges::sort(request->again);
  request->todo = std::exchange(request->again, {});
  request->sent = 0;
  leave_connection(request);
  const auto wait = std::exchange(request->again_after, std::chrono::milliseconds{0});
  if (wait.count() > 0)
    wait_for_retry(request, now + wait);
  else
    requeue(request, now);
}

void PoolCore::fail_unsent(const RequestPtr& request, const sdk::Error& error) {
  for (auto i = request->sent; i < request->todo.size(); ++i)
    request->items[request->todo[i]].result = error;
  request->todo.resize(request->sent);
  for (const auto index : std::exchange(request->again, {}))
    request->items[index].result = error;
}

void PoolCore::lost(ConnectionId id, const sdk::WireLoss& loss, sdk::Instant now) {
  const auto found = connections_.find(id);
  if (found == connections_.end())
    return;
  const auto state = found->second.state;
  if (reserved_ == id)
    reserved_ = 0;
  auto groups = std::move(found->second.groups);
  auto partial = std::move(found->second.partial);
  connections_.erase(found);
  if (shut_)
    return;
  if (state == State::connecting)
    connect_failed(loss, now);
  else if (state != State::closing) {
    ++counters_.losses;
    metrics_->losses.add();
    if (loss.error.code() == "57P02")
      leave_servers(now);  // it crashed, and has lost them all
  }
  recover_from(std::move(groups), std::move(partial), loss, now);
  balance(now);
}

void PoolCore::released(ConnectionId id, bool clean, sdk::Instant now) {
  const auto found = connections_.find(id);
  if (found == connections_.end() || found->second.state != State::lent)
    return;
  auto& connection = found->second;
  connection.state = State::ready;
  connection.last_used = now;
  const auto held = now - connection.since;
  metrics_->use.observe(held);
  if (std::exchange(connection.leak_told, false))
    actions_.emplace_back(ReportLeak{
      connection.holder, std::chrono::duration_cast<std::chrono::milliseconds>(held), true});
  if (!clean || connection.retiring || (connection.retire_at && *connection.retire_at <= now))
    close(id, connection);
  balance(now);
}

void PoolCore::note_retry(const sdk::Error& error, std::uint32_t attempt,
                          std::chrono::milliseconds wait) {
  ++counters_.retries;
  metrics_->retried(error.code());
  actions_.emplace_back(ReportRetry{error.code(), error.kind(), attempt, wait});
}

void PoolCore::drain(sdk::Instant now) {
  draining_ = true;
  balance(now);
}

bool PoolCore::drained() const noexcept {
  return draining_ && open_.empty() && sessions_.empty()
         && std::ranges::none_of(
           connections_, [](const auto& entry) { return entry.second.state == State::lent; });
}

void PoolCore::shut(const sdk::Error& error) {
  shut_ = true;
  const auto open = std::exchange(open_, {});
  for (const auto& [number, request] : open) {
    for (auto& item : request->items) {
      const bool unsure = item.in_flight
                          && sdk::judge_loss(sdk::StatementPhase::written, false,
                                             *request->statements[item.statement])
                               == sdk::LossVerdict::unknown;
      if (unsure)
        item.result = sdk::outcome_unknown(error);
    }
    request->answer(error);
  }
  for (const auto& request : std::exchange(sessions_, {}))
    request->answer(error);
  waiting_.clear();
  lone_.clear();
  held_.clear();
  retries_.clear();
  urgent_.clear();
  keys_.clear();
  for (auto& [id, connection] : connections_) {
    connection.partial.reset();
    connection.groups.clear();
    if (connection.state != State::closing)
      close(id, connection);
  }
}

void PoolCore::tick(sdk::Instant now) {
  requeue_retries(now);
  expire_waiting(now);
  expire_urgent(now);
  expire_checks(now);
  expire_sessions(now);
  report_leaks(now);
  retire(now);
  balance(now);
}

PoolInfo PoolCore::info() const {
  auto info = counters_;
  info.total = connections_.size();
  info.size = std::min(limits_.pool.max_size, limits_.connections);
  info.overflow = info.total > info.size ? info.total - info.size : 0;
  info.waiting = waiting() + sessions_.size();
  info.open = open_.size() + sessions_.size();
  info.by_way = ways_;
  info.down = down_.has_value();
  for (const auto& [id, connection] : connections_) {
    info.checked_out += connection.state == State::lent ? 1 : 0;
    info.available += connection.state == State::ready
                          && connection.in_flight < limits_.pool.lane_depth
                        ? 1
                        : 0;
  }
  return info;
}

}  // namespace millrace::actors::db
