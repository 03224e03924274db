#include "dsl/program.hpp"

#include <algorithm>
#include <string_view>

namespace millrace::dsl {

namespace {

bool matches_entry(std::string_view entry, const sdk::Error& error) {
  if (entry == sdk::to_string(error.kind()))
    return true;
  if (error.code().empty())
    return false;
  if (entry.ends_with('*'))
    return error.code().starts_with(entry.substr(0, entry.size() - 1));
  return entry == error.code();
}

}  // namespace

bool ErrorRule::matches(const sdk::Error& error) const {
  return match.empty() || std::any_of(match.begin(), match.end(), [&](const std::string& entry) {
           return matches_entry(entry, error);
         });
}

const ErrorRule* ErrorPolicy::find(const sdk::Error& error) const {
  const auto found = std::find_if(rules.begin(), rules.end(),
                                  [&](const ErrorRule& rule) { return rule.matches(error); });
  return found == rules.end() ? nullptr : &*found;
}

}  // namespace millrace::dsl
