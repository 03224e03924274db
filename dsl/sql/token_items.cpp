#include "dsl/sql/token_items.hpp"

#include <algorithm>

namespace millrace::dsl {

using sdk::sql::SqlToken;
using sdk::sql::SqlTokenKind;

namespace {

// Behind the parenthesis or bracket at `at`.
std::size_t behind_group(const Items& items, std::size_t at) {
  std::size_t depth = 0;
  for (; at < items.size(); ++at) {
    if (items[at]->is('(') || items[at]->is('['))
      ++depth;
    else if ((items[at]->is(')') || items[at]->is(']')) && --depth == 0)
      return at + 1;
  }
  return at;
}

// Behind the name at `at`, `schema.name`.
std::size_t behind_name(const Items& items, std::size_t at) {
  if (at >= items.size() || !is_name(*items[at]))
    return at;
  for (++at; at + 1 < items.size() && items[at]->is('.') && is_name(*items[at + 1]);)
    at += 2;
  return at;
}

}  // namespace

Items without_blanks(std::span<const SqlToken> tokens) {
  Items items;
  items.reserve(tokens.size());
  for (const auto& token : tokens) {
    if (!token.is_blank())
      items.push_back(&token);
  }
  return items;
}

bool is_any(const SqlToken& token, std::initializer_list<std::string_view> words) noexcept {
  return std::ranges::any_of(words, [&](auto word) { return token.is_word(word); });
}

bool is_name(const SqlToken& token) noexcept {
  return token.kind == SqlTokenKind::word || token.kind == SqlTokenKind::quoted_name;
}

// Behind `at` (a parameter): the end of the casts on it, `::numeric(10, 2)[]`.
std::size_t behind_casts(const Items& items, std::size_t at) {
  auto next = at + 1;
  while (next < items.size() && items[next]->kind == SqlTokenKind::operation
         && items[next]->text == "::") {
    next = behind_name(items, next + 1);
    while (next < items.size()) {
      if (items[next]->is('(') || items[next]->is('['))
        next = behind_group(items, next);
      else if (is_any(*items[next],
                      {"PRECISION", "VARYING", "CHARACTER", "CHAR", "WITH", "WITHOUT", "TIME",
                       "ZONE", "YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TO", "ARRAY"}))
        ++next;
      else
        break;
    }
  }
  return next;
}

namespace {

// The same, and behind whatever leaves the name of a column to what stands before it.
std::size_t behind_naming(const Items& items, std::size_t at) {
  auto next = behind_casts(items, at);
  while (next < items.size()) {
    if (items[next]->is('['))
      next = behind_casts(items, behind_group(items, next) - 1);
    else if (items[next]->is_word("COLLATE"))
      next = behind_casts(items, behind_name(items, next + 1) - 1);
    else
      break;
  }
  return next;
}

// Whether an element of a SELECT list begins at `at`.
bool begins_element(const Items& items, std::size_t at) {
  if (at == 0)
    return false;
  if (items[at - 1]->is(',') || is_any(*items[at - 1], {"SELECT", "ALL", "DISTINCT"}))
    return true;
  if (!items[at - 1]->is(')'))
    return false;
  // DISTINCT ON (…)
  std::size_t depth = 0;
  for (auto open = at; open-- > 2;) {
    if (items[open]->is(')'))
      ++depth;
    else if (items[open]->is('(') && --depth == 0)
      return items[open - 1]->is_word("ON") && items[open - 2]->is_word("DISTINCT");
  }
  return false;
}

// None of these words can be a name without AS.
bool ends_element(const Items& items, std::size_t at) {
  return at >= items.size() || items[at]->is(',') || items[at]->is(')')
         || is_any(*items[at], {"FROM", "WHERE", "UNION", "EXCEPT", "INTERSECT", "ORDER", "GROUP",
                                "LIMIT", "HAVING", "OFFSET", "FETCH", "WINDOW", "FOR", "INTO"});
}

// Whether a SELECT list ends with this token. IS DISTINCT FROM and WITHIN GROUP stand in one.
bool ends_list(const Items& items, std::size_t at) {
  const auto& token = *items[at];
  if (token.is_word("FROM"))
    return at == 0 || !items[at - 1]->is_word("DISTINCT");
  if (token.is_word("GROUP"))
    return at == 0 || !items[at - 1]->is_word("WITHIN");
  return is_any(token, {"WHERE", "UNION", "EXCEPT", "INTERSECT", "ORDER", "LIMIT", "HAVING"});
}

}  // namespace

// A parameter that is a column of its own takes its name from what it is written as: in set form
// that would be another one. Casts, collations and subscripts leave it the name; CASE takes that of
// its ELSE.
bool names_a_column(const Items& items) {
  std::vector<bool> in_list{false};  // per parenthesis: between a SELECT and its FROM
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& token = *items[i];
    if (token.is('(') || token.is('[')) {
      in_list.push_back(false);
    } else if (token.is(')') || token.is(']')) {
      if (in_list.size() > 1)
        in_list.pop_back();
    } else if (token.is_word("SELECT")) {
      in_list.back() = true;
    } else if (ends_list(items, i)) {
      in_list.back() = false;
    } else if (token.kind == SqlTokenKind::dollar) {
      // Out of the parentheses that hold nothing else: `SELECT (($1))`.
      auto first = i;
      auto last = behind_naming(items, i);
      auto level = in_list.size() - 1;
      while (first > 0 && items[first - 1]->is('(') && last < items.size() && items[last]->is(')')
             && level > 0) {
        --first;
        last = behind_naming(items, last);
        --level;
      }
      if (in_list[level] && begins_element(items, first) && ends_element(items, last))
        return true;
      const bool otherwise = first > 0 && items[first - 1]->is_word("ELSE") && last < items.size()
                             && items[last]->is_word("END");
      if (otherwise && std::ranges::find(in_list, true) != in_list.end())
        return true;
    }
  }
  return false;
}

}  // namespace millrace::dsl
