#include "dsl/sql/set_form.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace millrace::dsl {

namespace {

using sdk::sql::SqlToken;
using sdk::sql::SqlTokenKind;

/// A name that no identifier of the statement begins with: what the statement says of its own
/// columns can then never mean ours.
std::string unused_prefix(const Joinable& words) {
  std::string prefix = "mr";
  while (std::ranges::any_of(words.names,
                             [&](const std::string& name) { return name.starts_with(prefix); }))
    prefix += '_';
  return prefix;
}

class Writer {
public:
  Writer(const Joinable& words, const std::vector<std::string>& types)
    : types_{types}, prefix_{unused_prefix(words)}, x_{prefix_ + "x"}, i_{prefix_ + "i"} {}

  /// FROM ROWS FROM (…) WITH ORDINALITY AS x(p1, …, i)
  std::string sets() const {
    std::string text = " FROM ROWS FROM (";
    for (std::size_t n = 0; n < types_.size(); ++n) {
      text += n == 0 ? "" : ", ";
      text += "pg_catalog.unnest($" + std::to_string(n + 1) + "::" + types_[n] + "[])";
    }
    text += ") WITH ORDINALITY AS " + x_ + "(";
    for (std::size_t n = 0; n < types_.size(); ++n)
      text += parameter(n + 1) + ", ";
    return text + i_ + ")";
  }

  std::string parameter(std::size_t number) const { return prefix_ + "p" + std::to_string(number); }

  /// Appends a token, a parameter as the column that it is here.
  void append(std::string& out, const SqlToken& token) {
    if (token.kind != SqlTokenKind::dollar) {
      out += token.text;
      return;
    }
    std::uint32_t number = 0;
    std::from_chars(token.text.data() + 1, token.text.data() + token.text.size(), number);
    good_ = good_ && number >= 1 && number <= types_.size();
    // Apart from what stands beside it: `$1AND`, `1$1`.
    out += ' ' + x_ + '.' + parameter(number) + ' ';
  }

  const std::string& x() const noexcept { return x_; }

  std::string i() const { return x_ + "." + i_; }

  std::string name(std::string_view what) const { return prefix_ + std::string{what}; }

  bool good() const noexcept { return good_; }

private:
  const std::vector<std::string>& types_;
  std::string prefix_;
  std::string x_;
  std::string i_;
  bool good_ = true;
};

std::string write_select(std::span<const SqlToken> tokens, const Joinable& words, Writer& writer) {
  std::string inner;
  for (const auto& token : tokens)
    writer.append(inner, token);
  const auto q = writer.name("q");
  const auto s = writer.name("s");
  std::string text = "SELECT " + writer.i() + ", " + q + ".*" + writer.sets()
                     + " CROSS JOIN LATERAL (SELECT ";
  if (words.ordered)
    text += "pg_catalog.row_number() OVER () AS " + writer.name("n") + ", ";
  // The line break ends a comment; OFFSET 0 keeps the planner from flattening, and stands around
  // the statement because that may have one already.
  return text + s + ".* FROM (" + inner + "\n) " + s + " OFFSET 0) " + q;
}

std::string joined(const std::vector<const SqlToken*>& tokens, Writer& writer) {
  std::string text;
  for (const auto* token : tokens) {
    text += text.empty() ? "" : " ";
    writer.append(text, *token);
  }
  return text;
}

std::string write_insert(const InsertParts& parts, std::size_t parameters, Writer& writer) {
  std::string columns;
  std::string elements;
  for (std::size_t n = 0; n < parts.elements.size(); ++n) {
    const auto& element = parts.elements[n];
    if (element.front()->is_word("DEFAULT"))
      continue;
    if (!parts.columns.empty())
      columns.append(columns.empty() ? "" : ", ").append(parts.columns[n]->text);
    elements.append(elements.empty() ? "" : ", ").append(joined(element, writer));
  }
  const auto ins = writer.name("w");
  std::string text = "WITH " + ins + " AS (INSERT INTO " + joined(parts.target, writer);
  if (!columns.empty())
    text += " (" + columns + ")";
  if (!parts.overriding.empty())
    text += " " + joined(parts.overriding, writer);
  text += " SELECT " + elements + writer.sets() + " ORDER BY " + writer.i() + " RETURNING 1)";
  return text + " SELECT 1 / (pg_catalog.count(*) = $" + std::to_string(parameters + 1)
         + "::bigint)::integer FROM " + ins;
}

}  // namespace

std::string write_set_form(std::span<const SqlToken> tokens, const Joinable& words,
                           const std::vector<std::string>& types) {
  if (types.empty() || types.size() != words.parameters || words.set_form == SetFormKind::none)
    return {};
  Writer writer{words, types};
  std::string text;
  if (words.set_form == SetFormKind::select) {
    text = write_select(tokens, words, writer);
  } else {
    InsertParts parts;
    std::string reason;
    if (split_insert(tokens, parts, reason))
      text = write_insert(parts, types.size(), writer);
  }
  return writer.good() ? text : std::string{};
}

}  // namespace millrace::dsl
