#include "connectors/sdk/sql/placeholder.hpp"

#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/sql/lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace millrace::sdk::sql {

namespace {

Error refuse(std::string message, std::string hint = {}) {
  return {ErrorKind::execution, std::move(message), {.hint = std::move(hint)}};
}

PlaceholderStyle style_of(SqlTokenKind kind) noexcept {
  switch (kind) {
  case SqlTokenKind::question:
    return PlaceholderStyle::question;
  case SqlTokenKind::dollar:
    return PlaceholderStyle::dollar;
  case SqlTokenKind::format:
    return PlaceholderStyle::format;
  case SqlTokenKind::named:
    return PlaceholderStyle::named;
  default:
    return PlaceholderStyle::none;
  }
}

/// What to write instead, where a placeholder was taken for an operator or the other way round.
std::string_view mixing_hint(PlaceholderStyle a, PlaceholderStyle b) noexcept {
  if (a == PlaceholderStyle::question || b == PlaceholderStyle::question)
    return "the operator ? is written ??";
  if (a == PlaceholderStyle::format || b == PlaceholderStyle::format)
    return "put a blank behind a % that divides";
  return "use one style throughout";
}

class Parser {
public:
  Parser(std::string_view sql, std::span<const SqlToken> tokens) : sql_{sql}, tokens_{tokens} {
    // `%%` escapes only where `%s` may stand: beside other placeholders an operator %% stays what
    // it is.
    percent_escapes_ = std::ranges::all_of(tokens, [](const SqlToken& token) {
      const auto style = style_of(token.kind);
      return style == PlaceholderStyle::none || style == PlaceholderStyle::format;
    });
  }

  Result<Statement> run() {
    for (const auto& token : tokens_) {
      if (auto style = style_of(token.kind); style != PlaceholderStyle::none) {
        if (auto taken = take(token, style); !taken)
          return std::move(taken).error();
      } else if (token.kind == SqlTokenKind::double_question) {
        text_ += '?';
      } else if (token.kind == SqlTokenKind::double_percent && percent_escapes_) {
        text_ += '%';
      } else {
        text_ += token.text;
      }
    }
    if (!text_.empty() || statement_.pieces.empty())
      statement_.pieces.push_back({std::move(text_), std::nullopt});
    if (auto complete = check_numbers(); !complete)
      return std::move(complete).error();
    return std::move(statement_);
  }

private:
  Status take(const SqlToken& token, PlaceholderStyle style) {
    if (statement_.style == PlaceholderStyle::none) {
      statement_.style = style;
      first_ = token.offset;
    } else if (statement_.style != style) {
      return refuse("the statement mixes placeholders: " + std::string{to_string(statement_.style)}
                      + " at " + describe_sql_place(sql_, first_) + " and "
                      + std::string{to_string(style)} + " at "
                      + describe_sql_place(sql_, token.offset),
                    std::string{mixing_hint(statement_.style, style)});
    }
    auto entry = entry_of(token, style);
    if (!entry)
      return std::move(entry).error();
    if (*entry >= max_statement_parameters)
      return refuse("the statement has more than " + std::to_string(max_statement_parameters)
                    + " parameters");
    if (style != PlaceholderStyle::named)
      statement_.parameter_count = std::max(statement_.parameter_count, *entry + 1);
    statement_.pieces.push_back({std::exchange(text_, {}), *entry});
    return {};
  }

  Result<std::size_t> entry_of(const SqlToken& token, PlaceholderStyle style) {
    if (style == PlaceholderStyle::named)
      return named(token.text.substr(1));
    if (style != PlaceholderStyle::dollar)
      return statement_.parameter_count;
    std::size_t number = 0;
    const auto digits = token.text.substr(1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (read.ec != std::errc{} || number == 0 || number > max_statement_parameters)
      return refuse("there is no parameter " + std::string{token.text.substr(0, 12)} + " ("
                      + describe_sql_place(sql_, token.offset) + ")",
                    "parameters are numbered from $1 to $"
                      + std::to_string(max_statement_parameters));
    return number - 1;
  }

  std::size_t named(std::string_view name) {
    const auto found = std::ranges::find(statement_.names, name);
    const auto entry = static_cast<std::size_t>(found - statement_.names.begin());
    if (found == statement_.names.end()) {
      statement_.names.emplace_back(name);
      statement_.parameter_count = statement_.names.size();
    }
    return entry;
  }

  /// PostgreSQL cannot tell the type of a $n that is never used.
  Status check_numbers() const {
    if (statement_.style != PlaceholderStyle::dollar)
      return {};
    std::vector<bool> used(statement_.parameter_count);
    for (const auto& piece : statement_.pieces) {
      if (piece.entry)
        used[*piece.entry] = true;
    }
    const auto gap = std::ranges::find(used, false);
    if (gap == used.end())
      return {};
    return refuse("the statement goes up to $" + std::to_string(statement_.parameter_count)
                    + " but never uses $" + std::to_string(gap - used.begin() + 1),
                  "number the placeholders without a gap");
  }

  std::string_view sql_;
  std::span<const SqlToken> tokens_;
  bool percent_escapes_ = false;
  Statement statement_;
  std::string text_;       // behind the last placeholder
  std::size_t first_ = 0;  // where the first placeholder stands
};

Error count_mismatch(const Statement& statement, std::size_t given) {
  const std::size_t wanted = statement.parameter_count;
  std::string hint;
  if (wanted > given && statement.style == PlaceholderStyle::question)
    hint = "an operator that is written ? needs ??";
  return refuse("the query has " + std::to_string(wanted)
                  + (wanted == 1 ? " placeholder" : " placeholders") + ", but parameters has "
                  + std::to_string(given) + (given == 1 ? " entry" : " entries"),
                std::move(hint));
}

std::string_view literal_text(DriverLiteral literal, Dialect dialect) noexcept {
  if (literal == DriverLiteral::current_date)
    return "CURRENT_DATE";
  // On SQLite in the form of our ISO 8601 texts, so that comparing them as text compares the times.
  return dialect == Dialect::postgres ? "CURRENT_TIMESTAMP"
                                      : "strftime('%Y-%m-%dT%H:%M:%fZ','now')";
}

/// Appends with a blank where the two would else grow together into one token (`SELECT$1`).
void append_apart(std::string& out, std::string_view text) {
  if (!out.empty() && !text.empty() && is_sql_name_part(out.back())
      && is_sql_name_part(text.front()))
    out += ' ';
  out += text;
}

}  // namespace

std::string_view to_string(PlaceholderStyle style) noexcept {
  static constexpr std::array<std::string_view, 5> names{"no placeholders", "?", "$1", "%s",
                                                         ":name"};
  return names[static_cast<std::size_t>(style)];
}

DriverLiteral driver_literal(std::string_view entry) noexcept {
  static constexpr std::string_view blanks = " \t\r\n";
  const auto first = entry.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return DriverLiteral::none;
  entry = entry.substr(first, entry.find_last_not_of(blanks) - first + 1);
  const SqlToken word{SqlTokenKind::word, 0, entry};
  if (entry == "currentdatetime()" || word.is_word("CURRENT_TIMESTAMP"))
    return DriverLiteral::current_timestamp;
  return word.is_word("CURRENT_DATE") ? DriverLiteral::current_date : DriverLiteral::none;
}

std::string_view to_string(DriverLiteral literal) noexcept {
  static constexpr std::array<std::string_view, 3> names{"", "currentdatetime", "currentdate"};
  return names[static_cast<std::size_t>(literal)];
}

DriverLiteral parse_driver_literal(std::string_view name) noexcept {
  for (const auto literal : {DriverLiteral::current_timestamp, DriverLiteral::current_date}) {
    if (to_string(literal) == name)
      return literal;
  }
  return DriverLiteral::none;
}

Result<Statement> parse_statement(std::string_view sql) {
  auto tokens = tokenize(sql);
  if (!tokens)
    return std::move(tokens).error();
  auto one = single_statement(sql, *tokens);
  if (!one)
    return std::move(one).error();
  auto statement = Parser{sql, *one}.run();
  if (statement)
    statement->classification = classify(*one);
  return statement;
}

Result<Rewritten> rewrite(const Statement& statement, std::span<const DriverLiteral> entries,
                          Dialect dialect) {
  if (entries.size() != statement.parameter_count)
    return count_mismatch(statement, entries.size());
  Rewritten out;
  std::vector<std::size_t> numbers(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i] != DriverLiteral::none)
      continue;
    out.binds.push_back(i);
    numbers[i] = out.binds.size();
  }
  for (const auto& piece : statement.pieces) {
    append_apart(out.sql, piece.text);
    if (!piece.entry)
      continue;
    const auto literal = entries[*piece.entry];
    if (literal != DriverLiteral::none) {
      append_apart(out.sql, literal_text(literal, dialect));
      continue;
    }
    // `a?` would become the name `a$1`.
    if (!out.sql.empty() && is_sql_name_part(out.sql.back()))
      out.sql += ' ';
    out.sql += '$' + std::to_string(numbers[*piece.entry]);
  }
  return out;
}

Status check_parameter_list(const Statement& statement, std::size_t given) {
  if (statement.style == PlaceholderStyle::named)
    return refuse("the query has the named placeholder :" + statement.names.front()
                    + ", but parameters is a list",
                  "give a mapping: parameters: {" + statement.names.front() + ": …}");
  if (given != statement.parameter_count)
    return count_mismatch(statement, given);
  return {};
}

Result<std::vector<std::size_t>> match_parameter_names(const Statement& statement,
                                                       std::span<const std::string_view> keys) {
  if (statement.style != PlaceholderStyle::named && statement.parameter_count > 0)
    return refuse("parameters is a mapping, but the query has placeholders of the form "
                    + std::string{to_string(statement.style)},
                  "give a list, or name the placeholders (:name)");
  std::vector<std::size_t> places;
  for (const auto& name : statement.names) {
    const auto found = std::ranges::find(keys, name);
    if (found == keys.end())
      return refuse("the query names :" + name + ", but parameters has no such key",
                    did_you_mean(name, {keys.begin(), keys.end()}));
    places.push_back(static_cast<std::size_t>(found - keys.begin()));
  }
  for (const auto key : keys) {
    if (std::ranges::find(statement.names, key) == statement.names.end())
      return refuse("parameters has the key '" + std::string{key}
                      + "', which the query does not use",
                    did_you_mean(key, {statement.names.begin(), statement.names.end()}));
  }
  return places;
}

Status refuse_templates(std::string_view sql) {
  const auto found = sql.find("${");
  if (found == std::string_view::npos)
    return {};
  return refuse("a query takes no ${…} (" + describe_sql_place(sql, found) + ")",
                "write ? there and put the expression into parameters");
}

}  // namespace millrace::sdk::sql
