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
  if (const auto* until = known_.find(sql); until != nullptr && now < *until)
    return true;
  if (wanted_.size() < most_wanted && std::ranges::find(wanted_, sql) == wanted_.end())
    wanted_.emplace_back(sql);
  return false;
}

void CleanStatements::learn(std::string_view sql, sdk::Instant until) {
  const std::lock_guard lock{mutex_};
  if (auto* known = known_.find(sql))
    *known = until;
  else
    known_.insert(std::string{sql}, until);
}

void CleanStatements::forget() {
  const std::lock_guard lock{mutex_};
  known_.clear();
}

std::vector<std::string> CleanStatements::take_wanted() {
  const std::lock_guard lock{mutex_};
  return std::exchange(wanted_, {});
}

}  // namespace millrace::actors::db
