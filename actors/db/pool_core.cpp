#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

namespace {

// The id of an entry names its request and, in the low bits, its item.
constexpr unsigned item_bits = 24;
constexpr std::uint64_t item_mask = (std::uint64_t{1} << item_bits) - 1;

sdk::Error after_loss(LossVerdict verdict, const sdk::WireLoss& loss) {
  return verdict == LossVerdict::unknown ? outcome_unknown(loss.error) : loss.error;
}

sdk::Error too_many_sets() {
  return {sdk::ErrorKind::execution, "one message carries at most 16777215 parameter sets"};
}

}  // namespace

PoolCore::PoolCore(PoolLimits limits, std::uint64_t seed)
  : limits_{std::move(limits)},
    metrics_{limits_.metrics ? limits_.metrics : std::make_shared<PoolMetrics>(limits_.server)},
    retry_{limits_.retry, seed},
    random_{seed} {
  limits_.connections = std::max(1U, limits_.connections);
  limits_.lane = std::clamp(limits_.lane, 1U, limits_.connections);
}

void PoolCore::start(sdk::Instant now) {
  balance(now);
}

void PoolCore::submit(RequestPtr request, sdk::Instant now) {
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
    if (found != connections_.end() && found->second.in_flight > 0)
      --found->second.in_flight;
    const auto request = open_.find(answer.id >> item_bits);
    if (request == open_.end())
      continue;
    if (touched.empty() || touched.back() != request->second)
      touched.push_back(request->second);
    settle_item(request->second, std::move(answer));
  }
  if (found != connections_.end())
    found->second.last_used = now;
  if (std::exchange(demoted_, false))
    leave_servers(now);
  for (const auto& request : touched)
    finish_round(request, now);
  finish_retiring(now);
  balance(now);
}

void PoolCore::settle_item(const RequestPtr& request, ItemAnswer answer) {
  const auto index = static_cast<std::uint32_t>(answer.id & item_mask);
  if (index >= request->items.size() || !request->items[index].in_flight)
    return;
  auto& item = request->items[index];
  item.in_flight = false;
  --request->in_flight;
  ++counters_.statements;
  metrics_->statements.add();
  if (!answer.result) {
    metrics_->failed_statements.add();
    if (answer.result.error().code() == "XX001" || answer.result.error().code() == "XX002")
      actions_.emplace_back(ReportDamage{answer.result.error()});
    const bool writes = !request->statements[item.statement]->options.read_only;
    if (limits_.wants_writes && writes && answer.result.error().code() == "25006") {
      answer.result = demoted_error(answer.result.error());
      demoted_ = true;
    }
  }
  if (answer.result) {
    retry_.succeeded();
  } else if (!request->atomic) {
    const auto wait = retry_.after_error(answer.result.error(), item.attempts);
    if (wait && (request->backlog || now_ + *wait < request->accepted + limits_.pool.timeout)) {
      note_retry(answer.result.error(), item.attempts, *wait);
      request->again.push_back(index);
      request->again_after = std::max(request->again_after, *wait);
      return;
    }
    item.result = answer.result.error().with_attempts(item.attempts);
    return;
  }
  // In a group the neighbours of the guilty one have no error of their own; they keep what the
  // driver says.
  item.result = std::move(answer.result);
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
  if (!open_.contains(request->id) || request->in_flight > 0
      || request->sent < request->todo.size())
    return;
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
  const auto due = now + std::exchange(request->again_after, std::chrono::milliseconds{0});
  wait_for_retry(request, due);
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
  recover_from(id, loss, now);
  balance(now);
}

void PoolCore::recover_from(ConnectionId id, const sdk::WireLoss& loss, sdk::Instant now) {
  Phases phases;
  for (const auto& entry : loss.unanswered)
    phases.emplace(entry.id, entry.phase);
  std::vector<RequestPtr> hit;
  for (const auto& [number, request] : open_) {
    if (request->connection == id)
      hit.push_back(request);
  }
  for (const auto& request : hit) {
    if (request->atomic)
      recover_group(request, loss, phases);
    else
      recover_items(request, loss, phases);
    request->in_flight = 0;
    for (auto i = request->sent; i < request->todo.size(); ++i)
      request->again.push_back(request->todo[i]);
    leave_connection(request);
    if (request->again.empty()) {
      complete(request);
      continue;
    }
    std::ranges::sort(request->again);
    request->todo = std::exchange(request->again, {});
    request->sent = 0;
    requeue(request, now);
  }
  if (down_)
    fail_waiting(down_error(now));
}

LossVerdict PoolCore::judge(const RequestPtr& request, std::uint32_t item,
                            const sdk::WireLoss& loss, const Phases& phases) {
  const auto unnamed = loss.lists_all ? sdk::StatementPhase::queued : sdk::StatementPhase::complete;
  const auto phase = phases.find((request->id << item_bits) | item);
  return judge_loss(phase == phases.end() ? unnamed : phase->second, loss.server_ended,
                    *request->statements[request->items[item].statement]);
}

void PoolCore::recover_items(const RequestPtr& request, const sdk::WireLoss& loss,
                             const Phases& phases) {
  for (std::uint32_t i = 0; i < request->items.size(); ++i) {
    auto& item = request->items[i];
    if (!std::exchange(item.in_flight, false))
      continue;
    const auto verdict = judge(request, i, loss, phases);
    if (retry_.allows_after_loss(verdict, item.attempts)) {
      request->again.push_back(i);
      note_retry(loss.error, item.attempts, std::chrono::milliseconds{0});
    } else {
      item.result = after_loss(verdict, loss).with_attempts(item.attempts);
    }
  }
}

void PoolCore::recover_group(const RequestPtr& request, const sdk::WireLoss& loss,
                             const Phases& phases) {
  if (request->in_flight == 0)
    return;
  auto verdict = LossVerdict::never_happened;
  for (std::uint32_t i = 0; i < request->items.size(); ++i) {
    if (std::exchange(request->items[i].in_flight, false))
      verdict = std::max(verdict, judge(request, i, loss, phases));
  }
  const auto attempts = request->items.front().attempts;
  const bool repeat = retry_.allows_after_loss(verdict, attempts);
  if (repeat)
    note_retry(loss.error, attempts, std::chrono::milliseconds{0});
  for (std::uint32_t i = 0; i < request->items.size(); ++i) {
    request->items[i].result.reset();
    if (repeat)
      request->again.push_back(i);
    else
      request->items[i].result = after_loss(verdict, loss).with_attempts(attempts);
  }
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
                          && judge_loss(sdk::StatementPhase::written, false,
                                        *request->statements[item.statement])
                               == LossVerdict::unknown;
      if (unsure)
        item.result = outcome_unknown(error);
    }
    request->answer(error);
  }
  for (const auto& request : std::exchange(sessions_, {}))
    request->answer(error);
  waiting_.clear();
  retries_.clear();
  urgent_.clear();
  keys_.clear();
  for (auto& [id, connection] : connections_) {
    connection.partial.reset();
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
  info.waiting = waiting_.size() + sessions_.size();
  info.open = open_.size() + sessions_.size();
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
