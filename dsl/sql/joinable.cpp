#include "dsl/sql/joinable.hpp"

#include "connectors/sdk/sql/classify.hpp"
#include "dsl/sql/token_items.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace millrace::dsl {

namespace {

using sdk::sql::Classification;
using sdk::sql::classify;
using sdk::sql::SqlToken;
using sdk::sql::SqlTokenKind;
using sdk::sql::StatementKind;

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::ranges::find(list, text) == list.end())
    list.push_back(std::move(text));
}

// As the catalog has it: folded to lower case, or unquoted.
std::string catalog_name(const SqlToken& token) {
  std::string name;
  if (token.kind == SqlTokenKind::word) {
    name = token.text;
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z')
        c = static_cast<char>(c + 32);
    }
    return name;
  }
  const auto inner = token.text.substr(1, token.text.size() - 2);
  for (std::size_t i = 0; i < inner.size(); ++i) {
    name += inner[i];
    if (inner[i] == '"')
      ++i;
  }
  return name;
}

std::uint32_t parameter_number(const SqlToken& token) noexcept {
  std::uint32_t number = 0;
  std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
  return number;
}

constexpr std::array first_words{"SELECT", "VALUES", "TABLE", "INSERT",
                                 "UPDATE", "DELETE", "MERGE", "WITH"};

bool collect(Joinable& out, const Items& items) {
  for (const auto* token : items) {
    switch (token->kind) {
    case SqlTokenKind::word:
      add_once(out.names, catalog_name(*token));
      break;
    case SqlTokenKind::quoted_name:
      if (token->text.front() != '"') {
        out.refusal = "it has a name that is written with escapes";
        return false;
      }
      add_once(out.names, catalog_name(*token));
      break;
    case SqlTokenKind::operation:
      if (token->text != "::" && token->text != ":=")
        add_once(out.operators, std::string{token->text});
      break;
    case SqlTokenKind::dollar:
      out.parameters = std::max(out.parameters, parameter_number(*token));
      break;
    case SqlTokenKind::question:
    case SqlTokenKind::double_question:
    case SqlTokenKind::format:
    case SqlTokenKind::double_percent:
    case SqlTokenKind::named:
      out.refusal = "it has an operator that reads like a placeholder";
      return false;
    default:
      break;
    }
  }
  return true;
}

void examine_set_form(Joinable& out, std::span<const SqlToken> tokens, const Items& items,
                      const Classification& kind) {
  if (out.parameters == 0) {
    out.set_refusal = "it has no parameters";
  } else if (kind.modifying_cte) {
    out.set_refusal = "it changes rows in its WITH list";
  } else if (kind.keyword == "INSERT") {
    InsertParts parts;
    if (split_insert(tokens, parts, out.set_refusal))
      out.set_form = SetFormKind::insert;
  } else if (!out.reads) {
    out.set_refusal = kind.keyword + " does not tell which set changed how many rows";
  } else if (std::ranges::any_of(items,
                                 [](const auto* token) { return token->is_word("TABLESAMPLE"); })) {
    out.set_refusal = "all sets would get one sample";
  } else if (names_a_column(items)) {
    out.set_refusal = "a parameter is a column without a name of its own; give it one with AS";
  } else {
    out.set_form = SetFormKind::select;
  }
}

// --- the elements of an INSERT

bool is_current_time(const SqlToken& token) noexcept {
  return is_any(
    token, {"CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIME", "LOCALTIMESTAMP"});
}

bool is_constant(const Items& element) noexcept {
  const auto& first = *element.front();
  if (element.size() == 2)
    return first.kind == SqlTokenKind::operation && (first.text == "-" || first.text == "+")
           && element[1]->kind == SqlTokenKind::number;
  return element.size() == 1
         && (first.kind == SqlTokenKind::number || first.kind == SqlTokenKind::string
             || is_any(first, {"TRUE", "FALSE", "NULL", "DEFAULT"}) || is_current_time(first));
}

bool is_plain(const Items& element) {
  if (element.empty())
    return false;
  const auto& first = *element.front();
  if (first.kind == SqlTokenKind::dollar)
    return behind_casts(element, 0) == element.size();
  if (first.is_word("NOW"))
    return element.size() == 3 && element[1]->is('(') && element[2]->is(')');
  if (first.kind == SqlTokenKind::string || first.kind == SqlTokenKind::number)
    return behind_casts(element, 0) == element.size();
  return is_constant(element);
}

/// The parts between the parenthesis at `at` and its end, which `at` is moved behind.
bool split_list(const Items& items, std::size_t& at, std::vector<Items>& parts) {
  std::size_t depth = 0;
  parts.emplace_back();
  for (++at; at < items.size(); ++at) {
    const auto& token = *items[at];
    if (depth == 0 && token.is(')')) {
      ++at;
      return true;
    }
    if (depth == 0 && token.is(',')) {
      parts.emplace_back();
      continue;
    }
    depth += token.is('(') || token.is('[') ? 1 : 0;
    if ((token.is(')') || token.is(']')) && depth > 0)
      --depth;
    parts.back().push_back(&token);
  }
  return false;
}

bool read_head(const Items& items, std::size_t& at, InsertParts& parts, std::string& reason) {
  if (items.size() < 4 || !items[1]->is_word("INTO")) {
    reason = "it is no plain INSERT … VALUES";
    return false;
  }
  while (at < items.size() && !items[at]->is('(')
         && !is_any(*items[at], {"VALUES", "OVERRIDING", "DEFAULT", "SELECT", "WITH", "TABLE"}))
    parts.target.push_back(items[at++]);
  if (at < items.size() && items[at]->is('(')) {
    std::vector<Items> columns;
    if (!split_list(items, at, columns))
      return false;
    for (const auto& column : columns) {
      if (column.size() != 1 || !is_name(*column.front())) {
        reason = "it writes parts of a column";
        return false;
      }
      parts.columns.push_back(column.front());
    }
  }
  if (at < items.size() && items[at]->is_word("OVERRIDING")) {
    for (; at < items.size() && !items[at]->is_word("VALUES"); ++at)
      parts.overriding.push_back(items[at]);
  }
  return true;
}

}  // namespace

bool split_insert(std::span<const SqlToken> tokens, InsertParts& parts, std::string& reason) {
  const auto items = without_blanks(tokens);
  std::size_t at = 2;
  if (items.empty() || !items.front()->is_word("INSERT") || !read_head(items, at, parts, reason)) {
    if (reason.empty())
      reason = "it is no plain INSERT … VALUES";
    return false;
  }
  if (at + 1 >= items.size() || !items[at]->is_word("VALUES") || !items[at + 1]->is('(')) {
    reason = "it is no plain INSERT … VALUES";
    return false;
  }
  ++at;
  if (!split_list(items, at, parts.elements) || at != items.size()) {
    reason = "it has more behind its first row: further rows, ON CONFLICT or RETURNING";
    return false;
  }
  if (!std::ranges::all_of(parts.elements, is_plain)) {
    reason = "an element is more than a parameter or a constant";
    return false;
  }
  const bool defaults = std::ranges::any_of(
    parts.elements, [](const auto& element) { return element.front()->is_word("DEFAULT"); });
  if (defaults && parts.columns.empty()) {
    reason = "it says DEFAULT without naming the columns";
    return false;
  }
  if (!parts.columns.empty() && parts.columns.size() != parts.elements.size()) {
    reason = "it has not as many elements as columns";
    return false;
  }
  return true;
}

Joinable examine_joinable(std::span<const SqlToken> tokens) {
  Joinable out;
  const auto items = without_blanks(tokens);
  const auto kind = classify(tokens);
  std::size_t first = 0;
  while (first < items.size() && items[first]->is('('))
    ++first;
  const bool listed = first < items.size() && std::ranges::any_of(first_words, [&](auto w) {
                        return items[first]->is_word(w);
                      });
  if (!listed)
    out.refusal = kind.keyword.empty() ? "it is empty"
                                       : kind.keyword + " is not joined with others";
  else if (kind.kind != StatementKind::query && kind.kind != StatementKind::update)
    out.refusal = "it makes a table";
  else if (kind.locks_rows)
    out.refusal = "it locks rows";
  else if (!kind.lane_refusal.empty())
    out.refusal = kind.lane_refusal;
  // What locks rows is not joined, but the catalog can tell what else it does.
  const bool named = out.refusal.empty() || (listed && kind.locks_rows);
  if (!named || !collect(out, items) || !out.refusal.empty())
    return out;
  out.reads = kind.kind == StatementKind::query && kind.read_only;
  out.ordered = std::ranges::any_of(items,
                                    [](const auto* token) { return token->is_word("ORDER"); });
  examine_set_form(out, tokens, items, kind);
  return out;
}

}  // namespace millrace::dsl
