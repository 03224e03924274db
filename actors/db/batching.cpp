#include "actors/db/batching.hpp"

#include <algorithm>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t worth_comparing = 8;   // fewer say little about the cost of one
constexpr std::uint32_t compare_again = 1024;  // groups in set form
constexpr std::uint32_t worth_splitting = 16;  // so that the server has the next at hand
constexpr std::uint32_t worth_bisecting = 16;
constexpr auto paused_for = 10s;
constexpr auto dropped_for = std::chrono::hours{1};
constexpr std::size_t large_result = 256 * 1024;  // bytes, of one statement
constexpr std::size_t large_group = 4 << 20;      // bytes, of all results of a group

}  // namespace

std::uint32_t Batching::most(const StatementPlan& plan, Way way,
                             const sdk::StatementOptions& options) const {
  auto most = std::min(plan.group_size, most_members);
  auto deadline = sdk::shared_statement_limit;
  if (options.timeout && options.timeout->count() > 0)
    deadline = std::min(deadline, *options.timeout);
  // A quarter of it: what is expected is not what happens.
  const auto cost = plan.cost(way).known() ? plan.cost(way).average()
                                           : plan.cost(Way::each).average();
  if (cost.count() > 0)
    most = static_cast<std::uint32_t>(std::clamp<std::int64_t>(deadline / 4 / cost, 1, most));
  return most;
}

Choice Batching::choose(const StatementPlan& plan, const sdk::StatementOptions& options,
                        std::size_t waiting, std::uint32_t slots, std::uint32_t limit,
                        sdk::Instant now) const {
  const Choice each{.way = Way::each, .size = limit == 1 ? 1 : depth_};
  const auto because = [](Choice choice, WhyNot why) {
    choice.why = why;
    return choice;
  };
  if (!enabled_ || !options.batching)
    return because(each, WhyNot::off);
  if (limit == 1)
    return because(each, WhyNot::failing);
  if (!plan.is_joinable())
    return because(each, plan.refusal_of(Way::shared, now).kind);
  if (plan.joining_is_paused(now))
    return because(each, WhyNot::failing);
  auto count = static_cast<std::uint32_t>(std::min<std::size_t>(waiting, most_members));
  if (limit > 0)
    count = std::min(count, limit);
  if (count < 2)
    return {.way = Way::each, .size = 1, .why = WhyNot::nobody_else};
  // Some for the next group, so that neither we nor the server ever wait for the other.
  if (slots > 1 && count >= worth_splitting && count < most_members)
    count = (count + slots - 1) / slots;
  const auto refusal = plan.refusal_of(Way::set, now);
  if (!refusal) {
    const bool compare = !plan.cost(Way::each).known()
                         || plan.groups_since_comparison >= compare_again;
    if (compare && limit == 0 && count >= worth_comparing)
      return {
        .way = Way::each, .size = std::min(count, depth_), .alike = true, .why = WhyNot::comparing};
    return {.way = Way::set, .size = std::min(count, most(plan, Way::set, options)), .alike = true};
  }
  return {.way = Way::shared,
          .size = std::min(count, most(plan, Way::shared, options)),
          .why = refusal.kind};
}

void Batching::succeeded(StatementPlan& plan, Way way, std::uint32_t size,
                         std::chrono::nanoseconds took, std::size_t bytes, sdk::Instant now) const {
  plan.runs[static_cast<std::size_t>(way)] += size;
  if (size >= worth_comparing || (way == Way::each && took > 1ms))
    plan.cost(way).add(took / size);
  if (way == Way::each) {
    if (size >= worth_comparing)
      plan.groups_since_comparison = 0;
  } else {
    plan.group_size = std::min(most_members, plan.group_size + std::max(1U, plan.group_size / 2));
    plan.groups_since_comparison += way == Way::set ? 1 : 0;
  }
  if (bytes / size > large_result)
    plan.slow(std::chrono::minutes{10}, now);
  else if (bytes > large_group)
    plan.group_size = std::max(1U, size / 2);
  const auto& each = plan.cost(Way::each);
  const auto& set = plan.cost(Way::set);
  if (way == Way::set && each.known() && set.known() && set.average() >= each.average())
    plan.refuse_set_form("it took longer in set form than on its own", dropped_for, now);
}

void Batching::failed(StatementPlan& plan, Way way, const sdk::Error& error, bool unprepared,
                      sdk::Instant now) const {
  if (way == Way::each)
    return;
  plan.group_size = std::max(2U, plan.group_size / 2);
  // Most of its sets fail: joining them only makes it slower.
  if (plan.group_size <= 4)
    plan.pause_joining(paused_for, now);
  if (way == Way::set && unprepared)
    plan.refuse_set_form("the server does not take its set form (" + error.code() + ")",
                         dropped_for, now);
}

std::uint32_t Batching::limit_after(std::uint32_t size) noexcept {
  return size > worth_bisecting ? size / 2 : 1;
}

}  // namespace millrace::actors::db
