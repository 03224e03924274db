#include "connectors/sdk/sql/classify.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <utility>

namespace millrace::sdk::sql {

namespace {

using Tokens = std::span<const SqlToken>;
using Words = std::initializer_list<std::string_view>;

bool is_any(const SqlToken& token, Words words) noexcept {
  return std::ranges::any_of(words, [&](auto word) { return token.is_word(word); });
}

/// The tokens that are not blank, each with the number of parentheses and brackets around it.
struct Outline {
  struct Item {
    const SqlToken* token;
    std::size_t depth;
  };

  explicit Outline(Tokens tokens) {
    std::size_t depth = 0;
    for (const auto& token : tokens) {
      if (token.is_blank())
        continue;
      if ((token.is(')') || token.is(']')) && depth > 0)
        --depth;
      items.push_back({&token, depth});
      if (token.is('(') || token.is('['))
        ++depth;
    }
  }

  /// The item at `index`, or an empty one past the end.
  const SqlToken& at(std::size_t index) const noexcept {
    static constexpr SqlToken none{SqlTokenKind::space, 0, ""};
    return index < items.size() ? *items[index].token : none;
  }

  std::size_t depth(std::size_t index) const noexcept { return items[index].depth; }

  /// The first of `words` at the depth of `from` or less, from there on.
  std::size_t find(std::size_t from, Words words) const noexcept {
    for (std::size_t i = from; i < items.size(); ++i) {
      if (depth(i) <= depth(from) && is_any(at(i), words))
        return i;
    }
    return items.size();
  }

  std::vector<Item> items;
};

struct KeywordKind {
  std::string_view keyword;
  StatementKind kind;
  bool returns_rows;
};

constexpr std::array keyword_kinds{
  KeywordKind{"SELECT", StatementKind::query, true},
  KeywordKind{"VALUES", StatementKind::query, true},
  KeywordKind{"TABLE", StatementKind::query, true},
  KeywordKind{"SHOW", StatementKind::query, true},
  KeywordKind{"EXPLAIN", StatementKind::query, true},
  KeywordKind{"INSERT", StatementKind::update, false},
  KeywordKind{"REPLACE", StatementKind::update, false},
  KeywordKind{"UPDATE", StatementKind::update, false},
  KeywordKind{"DELETE", StatementKind::update, false},
  KeywordKind{"MERGE", StatementKind::update, false},
  KeywordKind{"TRUNCATE", StatementKind::update, false},
  KeywordKind{"CREATE", StatementKind::ddl, false},
  KeywordKind{"ALTER", StatementKind::ddl, false},
  KeywordKind{"DROP", StatementKind::ddl, false},
  KeywordKind{"COMMENT", StatementKind::ddl, false},
  KeywordKind{"GRANT", StatementKind::ddl, false},
  KeywordKind{"REVOKE", StatementKind::ddl, false},
  KeywordKind{"REFRESH", StatementKind::ddl, false},
  KeywordKind{"REINDEX", StatementKind::ddl, false},
  KeywordKind{"CLUSTER", StatementKind::ddl, false},
  KeywordKind{"SECURITY", StatementKind::ddl, false},
  KeywordKind{"REASSIGN", StatementKind::ddl, false},
  KeywordKind{"IMPORT", StatementKind::ddl, false},
  KeywordKind{"BEGIN", StatementKind::transaction, false},
  KeywordKind{"START", StatementKind::transaction, false},
  KeywordKind{"COMMIT", StatementKind::transaction, false},
  KeywordKind{"END", StatementKind::transaction, false},
  KeywordKind{"ROLLBACK", StatementKind::transaction, false},
  KeywordKind{"ABORT", StatementKind::transaction, false},
  KeywordKind{"SAVEPOINT", StatementKind::transaction, false},
  KeywordKind{"RELEASE", StatementKind::transaction, false},
  KeywordKind{"SET", StatementKind::session, false},
  KeywordKind{"RESET", StatementKind::session, false},
  KeywordKind{"DISCARD", StatementKind::session, false},
  KeywordKind{"LISTEN", StatementKind::session, false},
  KeywordKind{"UNLISTEN", StatementKind::session, false},
  KeywordKind{"PREPARE", StatementKind::session, false},
  KeywordKind{"EXECUTE", StatementKind::session, true},
  KeywordKind{"DEALLOCATE", StatementKind::session, false},
  KeywordKind{"DECLARE", StatementKind::session, false},
  KeywordKind{"FETCH", StatementKind::session, true},
  KeywordKind{"MOVE", StatementKind::session, false},
  KeywordKind{"CLOSE", StatementKind::session, false},
  KeywordKind{"COPY", StatementKind::session, false},
  KeywordKind{"LOCK", StatementKind::session, false},
  KeywordKind{"LOAD", StatementKind::session, false},
  KeywordKind{"PRAGMA", StatementKind::session, true},
  KeywordKind{"ATTACH", StatementKind::session, false},
  KeywordKind{"DETACH", StatementKind::session, false},
};

constexpr std::string_view transaction_refusal =
  "it would begin or end a transaction under the statements of others; use beginSql, commitSql, "
  "rollbackSql, savepoint or a transaction block";
constexpr std::string_view session_refusal = "it leaves something behind in its connection, which "
                                             "others use too; it needs a session of its own";

/// FOR [NO KEY] UPDATE, FOR [KEY] SHARE, anywhere.
bool locks_rows(const Outline& outline) noexcept {
  for (std::size_t i = 0; i < outline.items.size(); ++i) {
    if (!outline.at(i).is_word("FOR"))
      continue;
    const auto& next = outline.at(i + 1);
    const bool key = (next.is_word("NO") && outline.at(i + 2).is_word("KEY"))
                     || (next.is_word("KEY") && outline.at(i + 2).is_word("SHARE"));
    if (key || is_any(next, {"UPDATE", "SHARE"}))
      return true;
  }
  return false;
}

/// WITH x AS [[NOT] MATERIALIZED] (INSERT …).
bool has_modifying_cte(const Outline& outline) noexcept {
  for (std::size_t i = 1; i < outline.items.size(); ++i) {
    if (outline.at(i).is('(') && is_any(outline.at(i - 1), {"AS", "MATERIALIZED"})
        && is_any(outline.at(i + 1), {"INSERT", "UPDATE", "DELETE", "MERGE"}))
      return true;
  }
  return false;
}

/// The verb of the statement behind its WITH; a name in the WITH list may read like a verb.
std::size_t behind_with(const Outline& outline, std::size_t with) noexcept {
  for (std::size_t i = with + 1; i < outline.items.size(); ++i) {
    const auto& before = outline.at(i - 1);
    const bool names_part = before.is(',') || is_any(before, {"WITH", "RECURSIVE"});
    if (outline.depth(i) <= outline.depth(with) && !names_part
        && is_any(outline.at(i),
                  {"SELECT", "VALUES", "TABLE", "INSERT", "REPLACE", "UPDATE", "DELETE", "MERGE"}))
      return i;
  }
  return outline.items.size();
}

/// CREATE [OR REPLACE] [LOCAL] TEMP …, or anything made in the schema pg_temp.
bool makes_temporary(const Outline& outline) noexcept {
  std::size_t kind = 1;
  while (is_any(outline.at(kind), {"OR", "REPLACE", "LOCAL", "GLOBAL"}))
    ++kind;
  return is_any(outline.at(kind), {"TEMP", "TEMPORARY"})
         || std::ranges::any_of(outline.items,
                                [](const auto& item) { return item.token->is_word("PG_TEMP"); });
}

/// A query's parts that make it something else.
void look_into_query(Classification& out, const Outline& outline, std::size_t main) {
  out.locks_rows = locks_rows(outline);
  out.read_only = !out.locks_rows && !out.modifying_cte;
  if (outline.at(main).is_word("EXPLAIN")) {
    // EXPLAIN ANALYZE runs what it explains.
    const bool runs = std::ranges::any_of(outline.items, [](const auto& item) {
      return is_any(*item.token, {"ANALYZE", "ANALYSE"});
    });
    out.read_only = out.read_only && !runs;
    return;
  }
  const auto into = outline.find(main, {"INTO"});
  if (!outline.at(main).is_word("SELECT") || into == outline.items.size())
    return;
  out.kind = StatementKind::ddl;
  out.returns_rows = false;
  out.read_only = false;
  if (is_any(outline.at(into + 1), {"TEMP", "TEMPORARY", "LOCAL", "GLOBAL", "PG_TEMP"}))
    out.lane_refusal = session_refusal;
}

void look_into(Classification& out, const Outline& outline, std::size_t main) {
  switch (out.kind) {
  case StatementKind::query:
    look_into_query(out, outline, main);
    break;
  case StatementKind::update:
    out.returns_rows = outline.find(main, {"RETURNING"}) < outline.items.size();
    break;
  case StatementKind::ddl:
    if (out.keyword == "CREATE" && makes_temporary(outline))
      out.lane_refusal = session_refusal;
    break;
  case StatementKind::transaction:
    out.lane_refusal = transaction_refusal;
    break;
  case StatementKind::session:
    out.lane_refusal = session_refusal;
    break;
  case StatementKind::other:
    break;
  }
}

/// Follows a text up to the `;` that ends a statement.
class EndFinder {
public:
  /// @returns whether this token ends the statement; the next one begins afresh.
  bool ends(const SqlToken& token) {
    if (token.is_blank())
      return false;
    if (token.is(';') && parentheses_ == 0 && bodies_ == 0) {
      *this = {};
      return true;
    }
    if (token.is('('))
      ++parentheses_;
    else if (token.is(')') && parentheses_ > 0)
      --parentheses_;
    if (head_ != Head::read)
      note_head(token);
    else if (has_body_)
      note_body(token);
    return false;
  }

private:
  enum class Head : std::uint8_t { unseen, create, read };

  /// CREATE [OR REPLACE] [TEMP] FUNCTION|PROCEDURE|TRIGGER: from here on BEGIN opens a body.
  void note_head(const SqlToken& token) {
    if (head_ == Head::unseen) {
      head_ = token.is_word("CREATE") ? Head::create : Head::read;
    } else if (!is_any(token, {"OR", "REPLACE", "TEMP", "TEMPORARY", "CONSTRAINT"})) {
      has_body_ = is_any(token, {"FUNCTION", "PROCEDURE", "TRIGGER"});
      head_ = Head::read;
    }
  }

  void note_body(const SqlToken& token) {
    if (token.is_word("BEGIN") || (bodies_ > 0 && token.is_word("CASE")))
      ++bodies_;
    else if (bodies_ > 0 && token.is_word("END"))
      --bodies_;
  }

  std::size_t parentheses_ = 0;
  std::size_t bodies_ = 0;  // BEGIN and CASE that are open
  Head head_ = Head::unseen;
  bool has_body_ = false;
};

bool has_words(Tokens tokens) noexcept {
  return std::ranges::any_of(tokens, [](const SqlToken& token) { return !token.is_blank(); });
}

Tokens without_blank_end(Tokens tokens) noexcept {
  while (!tokens.empty() && tokens.back().kind == SqlTokenKind::space)
    tokens = tokens.first(tokens.size() - 1);
  return tokens;
}

/// The statements that have words in them; comments alone are none.
std::vector<Tokens> statements_of(Tokens tokens) {
  std::vector<Tokens> all;
  EndFinder finder;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= tokens.size(); ++i) {
    if (i < tokens.size() && !finder.ends(tokens[i]))
      continue;
    if (const auto one = tokens.subspan(begin, i - begin); has_words(one))
      all.push_back(without_blank_end(one));
    begin = i + 1;
  }
  return all;
}

}  // namespace

std::string_view to_string(StatementKind kind) noexcept {
  static constexpr std::array<std::string_view, 6> names{"query",       "update",  "ddl",
                                                         "transaction", "session", "other"};
  return names[static_cast<std::size_t>(kind)];
}

Classification classify(Tokens tokens) {
  const Outline outline{tokens};
  Classification out;
  std::size_t main = 0;
  while (outline.at(main).is('('))
    ++main;
  if (main >= outline.items.size())
    return out;
  if (outline.at(main).kind != SqlTokenKind::word)
    return out;
  out.keyword = upper(outline.at(main).text);
  if (out.keyword == "WITH") {
    out.modifying_cte = has_modifying_cte(outline);
    main = behind_with(outline, main);
  }
  const auto& verb = outline.at(main);
  const auto known = std::ranges::find_if(
    keyword_kinds, [&](const KeywordKind& entry) { return verb.is_word(entry.keyword); });
  if (known == keyword_kinds.end())
    return out;
  out.kind = known->kind;
  out.returns_rows = known->returns_rows;
  if (out.keyword == "PREPARE" && outline.at(main + 1).is_word("TRANSACTION"))
    out.kind = StatementKind::transaction;
  look_into(out, outline, main);
  if (out.modifying_cte && out.kind == StatementKind::query)
    out.kind = StatementKind::update;
  return out;
}

Result<Tokens> single_statement(std::string_view sql, Tokens tokens) {
  const auto all = statements_of(tokens);
  if (all.empty())
    return Error{ErrorKind::execution, "the query is empty"};
  if (all.size() == 1)
    return all.front();
  const auto second = std::ranges::find_if(all[1],
                                           [](const SqlToken& token) { return !token.is_blank(); });
  return Error{ErrorKind::execution,
               "the query holds more than one statement: the second begins at "
                 + describe_sql_place(sql, second->offset),
               {.hint = "use one step for each statement, or executeBatch"}};
}

Result<std::vector<std::string_view>> split_statements(std::string_view sql) {
  const auto tokens = tokenize(sql);
  if (!tokens)
    return tokens.error();
  std::vector<std::string_view> all;
  for (const auto one : statements_of(*tokens)) {
    const std::size_t begin = one.front().offset;
    const auto text = sql.substr(begin, one.back().offset + one.back().text.size() - begin);
    all.push_back(text.substr(std::min(text.find_first_not_of(" \t\r\n\f\v"), text.size())));
  }
  return all;
}

}  // namespace millrace::sdk::sql
