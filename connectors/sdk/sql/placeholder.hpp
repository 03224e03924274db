// Placeholders: a statement as the user wrote it, in any of four styles, made into what each driver
// takes.
//
//   auto statement = parse_statement("SELECT * FROM t WHERE a = ? AND b < ?");
//   auto sent = rewrite(*statement, {{DriverLiteral::none, DriverLiteral::current_timestamp}},
//   Dialect::postgres);
//   // sent->sql   "SELECT * FROM t WHERE a = $1 AND b < CURRENT_TIMESTAMP"
//   // sent->binds {0}: $1 is entry 0
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/sql/classify.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk::sql {

enum class Dialect : std::uint8_t { postgres, sqlite };

enum class PlaceholderStyle : std::uint8_t {
  none,
  question,  // ?
  dollar,    // $1
  format,    // %s
  named,     // :name
};

/// "?", "$1", "%s", ":name", or "no placeholders".
std::string_view to_string(PlaceholderStyle style) noexcept;

/// An entry of `parameters` that is written into the statement in the driver's own words.
enum class DriverLiteral : std::uint8_t { none, current_timestamp, current_date };

/// What the text of an entry in the DSL means: `currentdatetime()`, or the words CURRENT_TIMESTAMP
/// and CURRENT_DATE in any case. Only for text that the user wrote: a *value* that looks like one
/// is data.
DriverLiteral driver_literal(std::string_view entry) noexcept;

/// Its name in the DSL: "currentdatetime", "currentdate"; empty for none.
std::string_view to_string(DriverLiteral literal) noexcept;

/// The other way round; `none` where there is no such name.
DriverLiteral parse_driver_literal(std::string_view name) noexcept;

/// Text, then the entry that stands behind it. Only the last piece may have none.
struct StatementPiece {
  std::string text;
  std::optional<std::size_t> entry;  // counts from 0; for names the place in `Statement::names`
};

/// One statement, neutral between drivers; immutable and shared by all who run it.
struct Statement {
  PlaceholderStyle style = PlaceholderStyle::none;
  std::vector<StatementPiece> pieces;
  std::size_t parameter_count =
    0;                             // entries it takes; a name or a $n that stands twice counts once
  std::vector<std::string> names;  // of style `named`, in the order in which they first appear
  Classification classification;
};

/// Most parameters of one statement (PostgreSQL's protocol counts them in 16 bits).
inline constexpr std::size_t max_statement_parameters = 65535;

/// Reads one statement; `;` and blanks at its end are cut, `??` becomes `?` and in %s statements
/// `%%` becomes `%`.
/// @returns kind `execution` where the text is no single statement, mixes styles, leaves out a $n,
/// or cannot
///   be cut into tokens.
Result<Statement> parse_statement(std::string_view sql);

/// A statement as it is sent, and which entry each $n takes.
struct Rewritten {
  std::string sql;
  std::vector<std::size_t> binds;  // binds[0] is the entry of $1
};

/// `entries` says of each entry whether it is a literal; the others are numbered without a gap, in
/// their order.
/// @returns kind `execution` with both numbers where the count does not match.
Result<Rewritten> rewrite(const Statement& statement, std::span<const DriverLiteral> entries,
                          Dialect dialect);

/// Checks that a list of so many entries fits: style and count.
Status check_parameter_list(const Statement& statement, std::size_t given);

/// For a mapping of parameters: which of `keys` serves each of `statement.names`. Missing and
/// unused keys are errors that name them.
Result<std::vector<std::size_t>> match_parameter_names(const Statement& statement,
                                                       std::span<const std::string_view> keys);

/// Refuses `${…}` inside a query: values belong into `parameters`.
Status refuse_templates(std::string_view sql);

}  // namespace millrace::sdk::sql
