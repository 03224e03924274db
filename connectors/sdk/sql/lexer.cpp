#include "connectors/sdk/sql/lexer.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace millrace::sdk::sql {

namespace {

using enum SqlTokenKind;

constexpr std::string_view operator_characters = "+-*/<>=~!@#%^&|`?";

bool is_space(char c) noexcept {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Bytes of UTF-8 beyond ASCII are letters, as in PostgreSQL.
bool is_name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
         || static_cast<unsigned char>(c) >= 0x80;
}

/// Keywords after which an operand begins: a `:name` behind them is no slice.
bool begins_operand(const SqlToken& token) noexcept {
  static constexpr std::array<std::string_view, 16> words{
    "AND",  "BETWEEN", "BY", "CASE", "DISTINCT", "ELSE",   "FROM", "ILIKE",
    "LIKE", "IN",      "IS", "NOT",  "OR",       "SELECT", "THEN", "WHEN"};
  return std::ranges::any_of(words, [&](auto word) { return token.is_word(word); });
}

class Lexer {
public:
  explicit Lexer(std::string_view sql) : sql_{sql} {}

  Result<std::vector<SqlToken>> run() {
    while (at_ < sql_.size()) {
      const std::size_t start = at_;
      const SqlTokenKind kind = next();
      if (!problem_.empty())
        return Error{ErrorKind::execution,
                     problem_ + " at " + describe_sql_place(sql_, problem_at_)};
      remember({kind, start, sql_.substr(start, at_ - start)});
    }
    return std::move(tokens_);
  }

private:
  char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }

  void fail(std::size_t offset, std::string reason) {
    problem_at_ = offset;
    problem_ = std::move(reason);
    at_ = sql_.size();
  }

  /// Keeps the token, the brackets that are open and the last token that is not blank.
  void remember(const SqlToken& token) {
    tokens_.push_back(token);
    if (token.is_blank())
      return;
    last_ = token;
    if (token.is('(') || token.is('['))
      open_.push_back(token.text.front());
    else if ((token.is(')') || token.is(']')) && !open_.empty())
      open_.pop_back();
  }

  /// Moves behind the next token. Each case looks at most two characters ahead.
  SqlTokenKind next() {
    const char c = peek();
    if (is_space(c))
      return take_while(space, is_space);
    if (c == '-' && peek(1) == '-')
      return line_comment();
    if (c == '/' && peek(1) == '*')
      return block_comment();
    if (is_name_start(c))
      return word_or_prefixed_string();
    if (is_digit(c) || (c == '.' && is_digit(peek(1))))
      return take_number();
    switch (c) {
    case '\'':
      return take_string(false);
    case '"':
      return take_quoted_name();
    case '$':
      return dollar_sign();
    case ':':
      return colon();
    case '?':
      return question_mark();
    case '%':
      return percent();
    case '\0':
      fail(at_, "a NUL character");
      return symbol;
    default:
      break;
    }
    if (operator_characters.find(c) != std::string_view::npos)
      return take_operator();
    ++at_;
    return symbol;
  }

  template <class Predicate>
  SqlTokenKind take_while(SqlTokenKind kind, Predicate belongs) {
    while (at_ < sql_.size() && belongs(sql_[at_]))
      ++at_;
    return kind;
  }

  SqlTokenKind line_comment() {
    return take_while(comment, [](char c) { return c != '\n' && c != '\r'; });
  }

  SqlTokenKind block_comment() {
    const std::size_t start = at_;
    std::size_t depth = 0;
    while (at_ < sql_.size()) {
      if (peek() == '/' && peek(1) == '*') {
        ++depth;
        at_ += 2;
      } else if (peek() == '*' && peek(1) == '/') {
        at_ += 2;
        if (--depth == 0)
          return comment;
      } else {
        ++at_;
      }
    }
    fail(start, "a comment /* that does not end begins");
    return comment;
  }

  SqlTokenKind word_or_prefixed_string() {
    const char first = to_upper(peek());
    if (peek(1) == '\'' && (first == 'E' || first == 'B' || first == 'X' || first == 'N')) {
      ++at_;
      return take_string(first == 'E');
    }
    if (first == 'U' && peek(1) == '&' && (peek(2) == '\'' || peek(2) == '"')) {
      at_ += 2;
      return peek() == '"' ? take_quoted_name() : take_string(false);
    }
    return take_while(word, is_sql_name_part);
  }

  /// From the opening quote. In E'…' a backslash takes the next character, also in continuations.
  SqlTokenKind take_string(bool backslashes) {
    const std::size_t start = at_;
    do {
      ++at_;
      while (at_ < sql_.size()) {
        const bool escapes = (backslashes && peek() == '\\') || (peek() == '\'' && peek(1) == '\'');
        if (!escapes && peek() == '\'')
          break;
        at_ += escapes ? 2 : 1;
      }
      if (at_ >= sql_.size()) {
        fail(start, "a string that does not end begins");
        return string;
      }
      ++at_;
    } while (move_to_continuation());
    return string;
  }

  /// 'a' <line break> 'b' is one string (manual, section 4.1.2.1); only -- comments may stand
  /// between.
  bool move_to_continuation() {
    bool line_break = false;
    for (std::size_t i = at_; i < sql_.size(); ++i) {
      if (sql_[i] == '\n' || sql_[i] == '\r') {
        line_break = true;
      } else if (sql_[i] == '-' && i + 1 < sql_.size() && sql_[i + 1] == '-') {
        while (i + 1 < sql_.size() && sql_[i + 1] != '\n' && sql_[i + 1] != '\r')
          ++i;
      } else if (sql_[i] == '\'' && line_break) {
        at_ = i;
        return true;
      } else if (!is_space(sql_[i])) {
        return false;
      }
    }
    return false;
  }

  SqlTokenKind take_quoted_name() {
    const std::size_t start = at_++;
    while (at_ < sql_.size()) {
      if (peek() != '"') {
        ++at_;
      } else if (peek(1) == '"') {
        at_ += 2;
      } else {
        ++at_;
        return quoted_name;
      }
    }
    fail(start, "a quoted name that does not end begins");
    return quoted_name;
  }

  /// $1, $$…$$ or $tag$…$tag$.
  SqlTokenKind dollar_sign() {
    const std::size_t start = at_++;
    if (is_digit(peek()))
      return take_while(dollar, is_digit);
    if (is_name_start(peek()))
      take_while(word, [](char c) { return c != '$' && is_sql_name_part(c); });
    if (peek() != '$') {
      at_ = start + 1;
      return symbol;
    }
    const auto tag = sql_.substr(start, ++at_ - start);
    const auto end = sql_.find(tag, at_);
    if (end == std::string_view::npos) {
      fail(start, "a dollar-quoted string that does not end begins");
      return string;
    }
    at_ = end + tag.size();
    return string;
  }

  SqlTokenKind colon() {
    ++at_;
    if (peek() == ':' || peek() == '=') {
      ++at_;
      return operation;
    }
    if (!is_name_start(peek()) || is_slice_colon())
      return symbol;
    return take_while(named, [](char c) { return c != '$' && is_sql_name_part(c); });
  }

  /// Whether a colon at this place divides a slice: directly inside brackets, behind an operand.
  bool is_slice_colon() const noexcept {
    if (open_.empty() || open_.back() != '[')
      return false;
    switch (last_.kind) {
    case word:
      return !begins_operand(last_);
    case symbol:
      return last_.is(')') || last_.is(']');
    case operation:
      return false;
    default:
      return true;
    }
  }

  SqlTokenKind question_mark() {
    const std::size_t start = at_++;
    if (peek() == '?') {
      ++at_;
      return double_question;
    }
    if (is_digit(peek()))
      fail(start, "a numbered placeholder of SQLite's form, which is written $1 here,");
    return question;
  }

  SqlTokenKind percent() {
    if (peek(1) == '%') {
      at_ += 2;
      return double_percent;
    }
    if (peek(1) == 's' && !is_sql_name_part(peek(2))) {
      at_ += 2;
      return format;
    }
    return take_operator();
  }

  /// Stops before what may be a placeholder or a comment.
  SqlTokenKind take_operator() {
    do {
      ++at_;
    } while (at_ < sql_.size() && operator_characters.find(peek()) != std::string_view::npos
             && peek() != '?' && peek() != '%' && !(peek() == '-' && peek(1) == '-')
             && !(peek() == '/' && peek(1) == '*'));
    return operation;
  }

  SqlTokenKind take_number() {
    take_while(number, is_digit);
    if (peek() == '.' && peek(1) != '.') {
      ++at_;
      take_while(number, is_digit);
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (to_upper(peek()) == 'E' && is_digit(peek(1 + sign))) {
      at_ += 1 + sign;
      take_while(number, is_digit);
    }
    return number;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::vector<SqlToken> tokens_;
  SqlToken last_{operation, 0, ""};  // as after an operator: nothing stands before
  std::vector<char> open_;
  std::string problem_;
  std::size_t problem_at_ = 0;
};

}  // namespace

bool SqlToken::is_word(std::string_view upper_case) const noexcept {
  return kind == SqlTokenKind::word
         && std::ranges::equal(text, upper_case, {}, [](char c) { return to_upper(c); });
}

Result<std::vector<SqlToken>> tokenize(std::string_view sql) {
  return Lexer{sql}.run();
}

std::string describe_sql_place(std::string_view sql, std::size_t offset) {
  const auto before = sql.substr(0, offset);
  const auto line_break = before.rfind('\n');
  const std::size_t column = line_break == std::string_view::npos ? offset
                                                                  : offset - line_break - 1;
  std::string text = "column " + std::to_string(column + 1);
  if (sql.find('\n') != std::string_view::npos)
    text = "line " + std::to_string(std::ranges::count(before, '\n') + 1) + ", " + text;
  return text;
}

bool is_sql_name_part(char c) noexcept {
  return is_name_start(c) || is_digit(c) || c == '$';
}

}  // namespace millrace::sdk::sql
