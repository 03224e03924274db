// How a group goes out: what its connection needs first, its entries, and what takes away behind
// them what they may have left.
#include "actors/db/pool_core.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr unsigned item_bits = 24;
constexpr auto unknown_cost = 20us;

}  // namespace

void PoolCore::prepare_use(Connection& connection, sdk::ConnectionUse use,
                           std::vector<sdk::WireEntry>& entries) {
  if (connection.use == use)
    return;
  connection.use = use;
  const auto& statements = uses_[static_cast<std::size_t>(use)];
  for (const auto& statement : statements)
    entries.push_back(
      {.id = sdk::silent_entry, .statement = statement, .sync = statement == statements.back()});
}

void PoolCore::add_resets(std::vector<sdk::WireEntry>& entries) const {
  for (const auto& statement : resets_)
    entries.push_back(
      {.id = sdk::silent_entry, .statement = statement, .sync = statement == resets_.back()});
}

sdk::WireEntry PoolCore::entry_of(const Group& group, std::size_t member) const {
  const auto& [request, index] = group.members[member];
  const auto& item = request->items[index];
  const auto& statement = request->statements[item.statement];
  const bool shared = limits_.inspector && group.use != sdk::ConnectionUse::exclusive;
  sdk::WireEntry entry{.id = (group.id << item_bits) | member,
                       .statement = statement,
                       .set = item.set,
                       .sync = (group.way == Way::each && !request->atomic)
                               || member + 1 == group.members.size()};
  entry.skip_timeout = shared && statement->options.timeout
                       && *statement->options.timeout >= sdk::shared_statement_limit;
  entry.skip_read_only = shared && group.use == sdk::ConnectionUse::reads;
  entry.about = request->about;
  return entry;
}

void PoolCore::send(ConnectionId id, Connection& connection, Group group) {
  std::vector<sdk::WireEntry> entries;
  const auto count = group.members.size();
  entries.reserve(group.way == Way::set ? 3 : count + 4);
  prepare_use(connection, group.use, entries);
  if (group.way == Way::set) {
    auto entry = entry_of(group, 0);
    entry.sync = true;
    entry.form = group.plan->form();
    entry.members.reserve(count);
    for (const auto& [request, index] : group.members) {
      const auto& item = request->items[index];
      entry.members.push_back({request->statements[item.statement], item.set});
    }
    entries.push_back(std::move(entry));
  } else {
    for (std::size_t i = 0; i < count; ++i)
      entries.push_back(entry_of(group, i));
  }
  // At once, so that nobody waits for a lock that is left.
  if (leaves_traces(group, now_))
    add_resets(entries);
  if (group.way != Way::each) {
    for (auto& [request, index] : group.members) {
      ++request->joined;
      const auto key = request->statements.front()->options.order_key;
      if (key != 0 && !std::exchange(request->holds_key, true))
        ++(request->place == Place::reads ? keys_[key].joined_reads : keys_[key].joined_writes);
    }
  }
  group.open = static_cast<std::uint32_t>(count);
  group.sent = now_;
  connection.in_flight += group.open;
  metrics_->depth.observe(static_cast<double>(connection.in_flight));
  auto cost = unknown_cost + 0ns;
  if (group.plan && group.plan->cost(group.way).known())
    cost = group.plan->cost(group.way).average();
  connection.busy_until = std::max(now_, connection.busy_until)
                          + std::chrono::duration_cast<sdk::Instant::duration>(
                            cost * static_cast<std::int64_t>(count));
  connection.groups.push_back(std::move(group));
  actions_.emplace_back(SendEntries{id, std::move(entries)});
}

}  // namespace millrace::actors::db
