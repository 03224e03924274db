// What became of the groups that were sent: answered, failed as a whole, or lost with their
// connection.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr unsigned item_bits = 24;
constexpr std::uint64_t item_mask = (std::uint64_t{1} << item_bits) - 1;
constexpr auto slow_for = std::chrono::minutes{10};
constexpr auto locked_for = 5s;

sdk::Error after_loss(sdk::LossVerdict verdict, const sdk::WireLoss& loss) {
  return verdict == sdk::LossVerdict::unknown ? sdk::outcome_unknown(loss.error) : loss.error;
}

}  // namespace

void PoolCore::settle(Connection& connection, Group& group, ItemAnswer answer) {
  if (group.open == 0)
    return;
  group.bytes += answer.bytes;
  if (group.way == Way::set) {
    group.open = 0;
    group.unprepared = answer.unprepared;
    if (!answer.result)
      group.failure = answer.result.error();
    else if (answer.members.size() != group.members.size())
      group.failure = sdk::Error{sdk::ErrorKind::internal, "a set has lost a member"};
    for (std::size_t i = 0; !group.failure && i < group.members.size(); ++i) {
      auto& [request, item] = group.members[i];
      request->items[item].result = std::move(answer.members[i]);
    }
    return;
  }
  const auto index = answer.id & item_mask;
  if (index >= group.members.size())
    return;
  auto& member = group.members[index];
  auto& item = member.request->items[member.item];
  if (!item.in_flight)
    return;
  --group.open;
  if (group.way == Way::each) {
    --connection.in_flight;
    settle_item(group, member, std::move(answer.result));
  } else if (answer.result) {
    item.result = std::move(answer.result);
  } else if (!group.failure || !answer.aborted) {
    group.failure = answer.result.error();
  }
}

// Whether an error only says that it must not take as long as it did, or write, where it ran.
bool PoolCore::moves_away(const Group& group, const Member& member, const sdk::Error& error) {
  const auto& request = *member.request;
  if (!limits_.inspector || group.use == sdk::ConnectionUse::exclusive || request.urgent
      || request.internal)
    return false;
  const auto& options = request.statements.front()->options;
  if (error.code() == "57014") {
    const auto own = options.timeout.value_or(limits_.statement_timeout);
    if (own.count() > 0 && own <= sdk::shared_statement_limit)
      return false;  // the limit is the caller's own
    request.plan->slow(slow_for, now_);
    return true;
  }
  if (error.code() == "55P03") {
    request.plan->slow(locked_for, now_);
    return true;
  }
  // What is prepared anew runs behind what was sent meanwhile, and the connection may be in another
  // use by then.
  if (error.code() != "25006" || options.read_only)
    return false;
  if (group.use == sdk::ConnectionUse::reads)
    request.plan->writes_after_all();
  return true;
}

void PoolCore::settle_item(Group& group, Member& member, sdk::Result<sdk::SqlResult> result) {
  const auto& request = member.request;
  auto& item = request->items[member.item];
  item.in_flight = false;
  --request->in_flight;
  if (!result && moves_away(group, member, result.error())) {
    --item.attempts;  // nothing of it happened
    request->place = Place::exclusive;
    request->again.push_back(member.item);
    return;
  }
  ++counters_.statements;
  ++ways_[static_cast<std::size_t>(Way::each)];
  metrics_->statements.add();
  metrics_->ran(Way::each, group.why, 1);
  if (!result) {
    metrics_->failed_statements.add();
    if (result.error().code() == "XX001" || result.error().code() == "XX002")
      actions_.emplace_back(ReportDamage{result.error()});
    const bool writes = !request->statements[item.statement]->options.read_only
                        && group.use != sdk::ConnectionUse::reads;
    if (limits_.wants_writes && writes && result.error().code() == "25006") {
      result = demoted_error(result.error());
      demoted_ = true;
    }
  }
  if (request->plan && request->plan->changes_schema()) {
    plans_.forget_inspections();
    if (limits_.clean)
      limits_.clean->forget();
  }
  if (result) {
    retry_.succeeded();
  } else if (!request->atomic) {
    const auto wait = retry_.after_error(result.error(), item.attempts);
    if (wait && (request->backlog || now_ + *wait < request->accepted + limits_.pool.timeout)) {
      note_retry(result.error(), item.attempts, *wait);
      request->again.push_back(member.item);
      request->again_after = std::max(request->again_after, *wait);
      return;
    }
    item.result = result.error().with_attempts(item.attempts);
    return;
  }
  // In a group the neighbours of the guilty one have no error of their own; they keep what the
  // driver says.
  item.result = std::move(result);
}

void PoolCore::finish_groups(Connection& connection, std::vector<RequestPtr>& touched,
                             sdk::Instant now) {
  auto& groups = connection.groups;
  for (auto group = groups.begin(); group != groups.end();) {
    if (group->open > 0) {
      ++group;
      continue;
    }
    const auto size = static_cast<std::uint32_t>(group->members.size());
    const auto took = now - std::max(group->sent, connection.last_done);
    connection.last_done = now;
    if (group->way != Way::each)
      connection.in_flight -= size;
    if (group->failure) {
      if (group->plan)
        batching_.failed(*group->plan, group->way, *group->failure, group->unprepared, now);
      take_back(*group);
    } else {
      if (group->plan)
        batching_.succeeded(*group->plan, group->way, size, took, group->bytes, now);
      if (group->way != Way::each)
        finish_joined(*group);
    }
    for (auto& member : group->members) {
      if (touched.empty() || touched.back() != member.request)
        touched.push_back(std::move(member.request));
    }
    group = groups.erase(group);
  }
  if (groups.empty())
    connection.busy_until = now;
}

void PoolCore::finish_joined(Group& group) {
  for (auto& [request, index] : group.members) {
    request->items[index].in_flight = false;
    --request->in_flight;
    --request->joined;
    retry_.succeeded();
  }
  counters_.statements += group.members.size();
  ways_[static_cast<std::size_t>(group.way)] += group.members.size();
  metrics_->statements.add(group.members.size());
  metrics_->ran(group.way, group.why, group.members.size());
}

// Nothing of it happened: its members go again, in their order, with fewer or alone.
void PoolCore::take_back(Group& group) {
  const auto limit = static_cast<std::uint16_t>(
    Batching::limit_after(static_cast<std::uint32_t>(group.members.size())));
  for (std::size_t i = 0; i < group.members.size();) {
    const auto request = group.members[i].request;
    std::vector<std::uint32_t> todo;
    for (; i < group.members.size() && group.members[i].request == request; ++i) {
      const auto index = group.members[i].item;
      auto& item = request->items[index];
      item.in_flight = false;
      --item.attempts;
      item.result.reset();
      item.most_together = limit;
      --request->in_flight;
      --request->joined;
      todo.push_back(index);
    }
    todo.insert(todo.end(), request->todo.begin() + static_cast<std::ptrdiff_t>(request->sent),
                request->todo.end());
    request->todo = std::move(todo);
    request->sent = 0;
  }
}

sdk::LossVerdict PoolCore::judge(const Group& group, std::size_t member, const sdk::WireLoss& loss,
                                 const Phases& phases) const {
  const auto unnamed = loss.lists_all ? sdk::StatementPhase::queued : sdk::StatementPhase::complete;
  const auto entry = (group.id << item_bits) | (group.way == Way::set ? 0 : member);
  const auto found = phases.find(entry);
  const auto phase = found == phases.end() ? unnamed : found->second;
  const auto& [request, index] = group.members[member];
  // The server saw to it that nothing was written, and no function was called that does more than
  // read.
  const bool only_read = group.use == sdk::ConnectionUse::reads && request->plan->is_pure();
  if (only_read && phase != sdk::StatementPhase::queued)
    return sdk::LossVerdict::repeatable;
  return sdk::judge_loss(phase, loss.server_ended,
                         *request->statements[request->items[index].statement]);
}

void PoolCore::recover(Group& group, const sdk::WireLoss& loss, const Phases& phases) {
  auto& members = group.members;
  std::vector<sdk::LossVerdict> verdicts;
  verdicts.reserve(members.size());
  for (std::size_t i = 0; i < members.size(); ++i)
    verdicts.push_back(judge(group, i, loss, phases));
  const bool atomic = members.front().request->atomic;
  if (atomic)
    std::ranges::fill(verdicts, *std::ranges::max_element(verdicts));
  // A server that ended before the last of a group was done had not come to the commit of any.
  if (group.way == Way::shared && loss.server_ended
      && std::ranges::find(verdicts, sdk::LossVerdict::never_happened) != verdicts.end())
    std::ranges::fill(verdicts, sdk::LossVerdict::never_happened);
  for (std::size_t i = 0; i < members.size(); ++i) {
    auto& [request, index] = members[i];
    auto& item = request->items[index];
    if (!std::exchange(item.in_flight, false) && !atomic)
      continue;
    item.result.reset();
    if (retry_.allows_after_loss(verdicts[i], item.attempts)) {
      request->again.push_back(index);
      note_retry(loss.error, item.attempts, 0ms);
    } else {
      item.result = after_loss(verdicts[i], loss).with_attempts(item.attempts);
    }
  }
}

void PoolCore::recover_from(std::deque<Group> groups, RequestPtr partial, const sdk::WireLoss& loss,
                            sdk::Instant now) {
  Phases phases;
  for (const auto& entry : loss.unanswered)
    phases.emplace(entry.id, entry.phase);
  std::vector<RequestPtr> hit;
  const auto note = [&hit](RequestPtr request) {
    if (std::ranges::find(hit, request) == hit.end())
      hit.push_back(std::move(request));
  };
  for (auto& group : groups) {
    recover(group, loss, phases);
    for (auto& member : group.members) {
      if (hit.empty() || hit.back() != member.request)
        note(member.request);
    }
  }
  if (partial)
    note(std::move(partial));
  for (const auto& request : hit) {
    request->in_flight = 0;
    request->joined = 0;
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

}  // namespace millrace::actors::db
