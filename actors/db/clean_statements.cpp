#include "actors/db/clean_statements.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::actors::db {

namespace {

constexpr std::size_t most_wanted = 16;

}  // namespace

bool CleanStatements::contains(std::string_view sql, sdk::Instant now) {
  const std::lock_guard lock{mutex_};
  if (const auto* known = known_.find(sql); known != nullptr && now < known->until)
    return known->traces.leaves_nothing;
  if (wanted_.size() < most_wanted && std::ranges::find(wanted_, sql) == wanted_.end())
    wanted_.emplace_back(sql);
  wants_ = true;
  return false;
}

bool CleanStatements::writes(std::string_view sql) {
  const std::lock_guard lock{mutex_};
  const auto* known = known_.find(sql);
  return known != nullptr && known->traces.writes;
}

void CleanStatements::learn(std::string_view sql, Traces traces, sdk::Instant until) {
  const std::lock_guard lock{mutex_};
  if (auto* known = known_.find(sql))
    *known = {traces, until};
  else
    known_.insert(std::string{sql}, {traces, until});
}

void CleanStatements::forget() {
  const std::lock_guard lock{mutex_};
  known_.clear();
}

std::vector<std::string> CleanStatements::take_wanted() {
  if (!wants_)
    return {};
  const std::lock_guard lock{mutex_};
  wants_ = false;
  return std::exchange(wanted_, {});
}

}  // namespace millrace::actors::db
