#include "connectors/postgres/prepared.hpp"

#include <algorithm>
#include <array>

namespace millrace::postgres {

namespace {

bool starts_with_word(std::string_view sql, std::string_view word) noexcept {
  const auto start = sql.find_first_not_of(" \t\r\n(");
  if (start == std::string_view::npos || sql.size() - start < word.size())
    return false;
  const auto first = sql.substr(start, word.size());
  return std::ranges::equal(
    first, word, [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 'a' + 'A' : a) == b; });
}

}  // namespace

bool may_change_settings(std::string_view sql) noexcept {
  constexpr std::string_view function{"set_config"};
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; };
  return starts_with_word(sql, "RESET") || starts_with_word(sql, "DISCARD")
         || std::search(sql.begin(), sql.end(), function.begin(), function.end(), same)
              != sql.end();
}

bool is_worth_preparing(std::string_view sql) noexcept {
  // The last ones are what every transaction's connection is made as new with; DECLARE takes
  // parameters as the query of its cursor does.
  static constexpr std::array<std::string_view, 16> words{
    "SELECT",  "INSERT", "UPDATE",   "DELETE",  "MERGE", "VALUES",  //
    "WITH",    "TABLE",  "UNLISTEN", "DISCARD", "CLOSE", "RESET",  "SET SESSION AUTHORIZATION",
    "DECLARE", "BEGIN",  "COMMIT"};
  return std::ranges::any_of(words,
                             [sql](std::string_view word) { return starts_with_word(sql, word); });
}

bool begins_transaction(std::string_view sql) noexcept {
  return starts_with_word(sql, "BEGIN") || starts_with_word(sql, "START");
}

bool commits_transaction(std::string_view sql) noexcept {
  return starts_with_word(sql, "COMMIT");
}

}  // namespace millrace::postgres
