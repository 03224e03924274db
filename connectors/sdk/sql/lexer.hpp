// SQL cut into tokens by PostgreSQL's lexical rules (manual, section 4.1), with the placeholders
// that Millrace knows. The tokens cover the text without a gap, so that joining them gives the text
// back.
//
//   auto tokens = tokenize("SELECT 'a?' FROM t WHERE id = ?");   // the last token is a `question`
#pragma once

#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk::sql {

enum class SqlTokenKind : std::uint8_t {
  space,
  comment,      // -- to the end of the line, or /* nested */
  word,         // a keyword or an unquoted name
  quoted_name,  // "…" and U&"…"
  string,  // '…', E'…', U&'…', B'…', X'…', N'…' with their continuations, and $tag$…$tag$
  number,           // 1, 1.5, .5, 1e10
  question,         // ?
  double_question,  // ??, which stands for the operator ?
  dollar,           // $1
  format,           // %s
  double_percent,   // %%, which stands for the operator % in %s statements
  named,            // :name
  symbol,           // one of ( ) [ ] , ; . and a lone colon
  operation,        // a run of operator characters, :: and :=
};

struct SqlToken {
  SqlTokenKind kind;
  std::size_t offset;     // in bytes from the start of the statement
  std::string_view text;  // a part of what was given to `tokenize`

  bool is(char symbol) const noexcept {
    return kind == SqlTokenKind::symbol && text.front() == symbol;
  }

  bool is_blank() const noexcept {
    return kind == SqlTokenKind::space || kind == SqlTokenKind::comment;
  }

  /// Whether it is this keyword, given in upper case.
  bool is_word(std::string_view upper_case) const noexcept;
};

/// Inside brackets `:name` after an operand is the second half of a slice (`a[1:n]`); right after
/// `[` it is a placeholder, so a slice without a first half is written with a space (`a[: n]`).
/// @returns kind `execution` with the place and the reason where a string, a quoted name, a dollar
/// quote
///   or a comment has no end, and at a NUL. The message never shows the text itself.
Result<std::vector<SqlToken>> tokenize(std::string_view sql);

/// "column 8", or "line 2, column 8" where the text has several lines. Both count from 1, in bytes.
std::string describe_sql_place(std::string_view sql, std::size_t offset);

/// Whether a character can stand in an unquoted name after its first character.
bool is_sql_name_part(char c) noexcept;

}  // namespace millrace::sdk::sql
