#include "connectors/sqlite/errors.hpp"

#include <sqlite3.h>

#include <array>
#include <string>

namespace millrace::sqlite {

namespace {

using sdk::ErrorKind;

struct CodeRule {
  int code;  // an extended code, or a primary one for all its extended ones
  std::string_view sqlstate;
  ErrorKind kind;
  bool retryable;
  std::string_view hint;
};

// Extended codes come before their primary one: the first match decides.
constexpr std::array rules{
  CodeRule{SQLITE_CONSTRAINT_UNIQUE, "23505", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT_PRIMARYKEY, "23505", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT_ROWID, "23505", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT_NOTNULL, "23502", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT_FOREIGNKEY, "23503", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT_CHECK, "23514", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT_DATATYPE, "22P02", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_CONSTRAINT, "23000", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_BUSY_SNAPSHOT, "40001", ErrorKind::transaction, true, ""},
  CodeRule{SQLITE_BUSY, "55P03", ErrorKind::timeout, true,
           "somebody else holds the database file's lock"},
  CodeRule{SQLITE_LOCKED, "55P03", ErrorKind::timeout, true,
           "somebody else holds the table's lock"},
  CodeRule{SQLITE_INTERRUPT, "57014", ErrorKind::timeout, false, ""},
  CodeRule{SQLITE_READONLY, "25006", ErrorKind::execution, false,
           "check the permissions of the file and its folder"},
  CodeRule{SQLITE_PERM, "42501", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_AUTH, "42501", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_FULL, "53100", ErrorKind::execution, false, "the disk is full"},
  CodeRule{SQLITE_NOMEM, "53200", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_IOERR, "58030", ErrorKind::execution, false,
           "the disk, or the file's folder, failed"},
  CodeRule{SQLITE_CORRUPT, "XX001", ErrorKind::execution, false,
           "the file is damaged; restore it from a backup"},
  CodeRule{SQLITE_NOTADB, "XX001", ErrorKind::connection, false, "the file is no SQLite database"},
  CodeRule{SQLITE_CANTOPEN, "08001", ErrorKind::connection, false,
           "check that its folder exists and may be written to"},
  CodeRule{SQLITE_TOOBIG, "54000", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_MISMATCH, "22P02", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_RANGE, "42P02", ErrorKind::execution, false, ""},
  CodeRule{SQLITE_SCHEMA, "0A000", ErrorKind::execution, true, ""},
};

struct TextRule {
  std::string_view start;
  std::string_view sqlstate;
};

// SQLITE_ERROR says no more than its English text, which is part of the library and not translated.
constexpr std::array texts{
  TextRule{"no such table", "42P01"},    TextRule{"no such view", "42P01"},
  TextRule{"no such column", "42703"},   TextRule{"no such function", "42883"},
  TextRule{"ambiguous column", "42702"}, TextRule{"no such savepoint", "3B001"},
  TextRule{"table ", "42P07"},           TextRule{"cannot start a transaction", "25001"},
  TextRule{"cannot commit", "25P01"},    TextRule{"cannot rollback", "25P01"},
  TextRule{"integer overflow", "22003"}, TextRule{"malformed JSON", "22032"},
};

std::string_view state_of_text(std::string_view text) {
  for (const auto& rule : texts) {
    if (text.starts_with(rule.start))
      return rule.sqlstate;
  }
  return "42601";
}

// These go on with a piece of a value, which may be a parameter.
std::string_view without_values(std::string_view text) {
  for (const std::string_view start :
       {"JSON path error", "bad JSON path", "fts5: syntax error", "malformed MATCH expression"}) {
    if (text.starts_with(start))
      return start;
  }
  return text;
}

// "UNIQUE constraint failed: customers.email" -> "customers.email"
std::string constraint_of(std::string_view text) {
  constexpr std::string_view mark = " constraint failed: ";
  const auto at = text.find(mark);
  return at == std::string_view::npos ? std::string{} : std::string{text.substr(at + mark.size())};
}

}  // namespace

sdk::Error to_error(int code, std::string_view message) {
  const auto text = without_values(message);
  for (const auto& rule : rules) {
    if (rule.code != code && rule.code != (code & 0xff))
      continue;
    sdk::Error::Detail detail{.hint = std::string{rule.hint}, .code = std::string{rule.sqlstate}};
    detail.retryable = rule.retryable;
    if ((code & 0xff) == SQLITE_CONSTRAINT)
      detail.constraint = constraint_of(text);
    return {rule.kind, std::string{text}, std::move(detail)};
  }
  const auto state = state_of_text(text);
  const auto kind = state.starts_with("25") || state.starts_with("3B") ? ErrorKind::transaction
                                                                       : ErrorKind::execution;
  return {kind, std::string{text}, {.code = std::string{state}}};
}

sdk::Error last_error(sqlite3* connection) {
  return to_error(sqlite3_extended_errcode(connection), sqlite3_errmsg(connection));
}

}  // namespace millrace::sqlite
