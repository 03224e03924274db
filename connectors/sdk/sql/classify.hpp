// What kind of statement a text is, told from its words alone.
//
//   auto tokens = tokenize(sql);
//   auto one = single_statement(sql, *tokens);            // refuses "a; b"
//   if (!classify(*one).lane_refusal.empty()) …           // not on a connection that others use
//   too
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/sql/lexer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk::sql {

enum class StatementKind : std::uint8_t {
  query,        // SELECT, VALUES, TABLE, SHOW, EXPLAIN, WITH … SELECT
  update,       // INSERT, UPDATE, DELETE, MERGE, TRUNCATE, also behind or inside WITH
  ddl,          // CREATE, ALTER, DROP, GRANT, …, SELECT … INTO
  transaction,  // BEGIN, COMMIT, ROLLBACK, SAVEPOINT, …
  session,  // SET, LISTEN, PREPARE, DECLARE, PRAGMA, …: leaves something behind in its connection
  other,
};

/// "query", "update", "ddl", "transaction", "session", "other".
std::string_view to_string(StatementKind kind) noexcept;

struct Classification {
  StatementKind kind = StatementKind::other;
  std::string keyword;        // the first one, in upper case, behind comments and parentheses
  bool returns_rows = false;  // as far as the words tell
  bool read_only =
    false;  // a query without row locks, writing parts or SELECT INTO; it may call functions
  bool locks_rows = false;  // FOR UPDATE, FOR SHARE, …
  bool modifying_cte = false;
  std::string
    lane_refusal;  // why it must not run on a connection shared with others; empty: it may
};

Classification classify(std::span<const SqlToken> tokens);

/// The tokens of the one statement in a text, without `;` and blanks at its end.
/// @returns kind `execution` where there is none or more than one.
Result<std::span<const SqlToken>> single_statement(std::string_view sql,
                                                   std::span<const SqlToken> tokens);

/// The statements of a script, without their `;`; empty ones are left out. Knows the bodies of
/// CREATE FUNCTION … BEGIN ATOMIC and of SQLite's CREATE TRIGGER … BEGIN, which hold semicolons.
Result<std::vector<std::string_view>> split_statements(std::string_view sql);

}  // namespace millrace::sdk::sql
