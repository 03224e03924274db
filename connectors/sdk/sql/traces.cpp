#include "connectors/sdk/sql/traces.hpp"

#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/sql/classify.hpp"

#include <algorithm>

namespace millrace::sdk::sql {

namespace {

bool starts_with_word(std::string_view text, std::string_view upper_case) {
  if (text.size() < upper_case.size())
    return false;
  return std::ranges::equal(text.substr(0, upper_case.size()), upper_case,
                            [](char a, char b) { return to_upper(a) == b; });
}

}  // namespace

bool leaves_traces(std::string_view sql) {
  const auto tokens = tokenize(sql);
  if (!tokens)
    return true;
  const auto statement = single_statement(sql, *tokens);
  if (!statement)
    return true;
  const auto kind = classify(*statement).kind;
  if (kind == StatementKind::transaction)
    return false;
  if (kind != StatementKind::query && kind != StatementKind::update)
    return true;
  return std::ranges::any_of(*statement, [](const SqlToken& token) {
    return token.kind == SqlTokenKind::word
           && (token.is_word("SET_CONFIG") || starts_with_word(token.text, "PG_ADVISORY_LOCK")
               || starts_with_word(token.text, "PG_TRY_ADVISORY_LOCK"));
  });
}

std::string without_values(std::string_view sql) {
  const auto tokens = tokenize(sql);
  if (!tokens)
    return "(a statement that cannot be read)";
  std::string shown;
  for (const auto& token : *tokens) {
    if (token.kind == SqlTokenKind::string || token.kind == SqlTokenKind::number)
      shown += '?';
    else if (token.kind != SqlTokenKind::comment)
      shown += token.text;
  }
  return shown;
}

}  // namespace millrace::sdk::sql
