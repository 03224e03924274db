#include "connectors/postgres/errors.hpp"

#include "connectors/postgres/sqlstate.hpp"
#include "connectors/sdk/hide_parameters.hpp"

#include <string>

namespace millrace::postgres {

namespace {

using sdk::Error;
using sdk::ErrorKind;

std::string_view field(const PGresult* result, int code) noexcept {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string_view{} : text;
}

std::string_view first_line(std::string_view text) {
  return text.substr(0, text.find('\n'));
}

bool starts_with_state(std::string_view text) {
  if (text.size() < 7 || text[5] != ':')
    return false;
  for (const char c : text.substr(0, 5)) {
    if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')))
      return false;
  }
  return true;
}

std::string hint_for(std::string_view state) {
  if (state == "42P18" || state == "42P08")
    return "say the parameter's type with a cast, for example $1::int";
  if (state == "28P01" || state == "28000")
    return "check the user and the password of the server's security scheme";
  if (state == "3D000")
    return "create the database, or correct its name";
  if (state == "53300")
    return "raise max_connections on the server, or lower pool.max_size";
  return {};
}

// Data errors (class 22) quote the value that was wrong, which may be a parameter:
//   invalid input syntax for type integer: "secret"      value "99999999999" is out of range for …
// The quotes of translated messages are other characters than ASCII's.
std::string without_values(std::string_view state, std::string_view message) {
  if (!state.starts_with("22"))
    return std::string{message};
  for (auto at = message.find(": "); at != std::string_view::npos;
       at = message.find(": ", at + 1)) {
    const auto rest = message.substr(at + 2);
    if (!rest.empty() && (rest[0] == '"' || rest[0] == '\'' || (rest[0] & 0x80) != 0))
      return std::string{message.substr(0, at)};
  }
  const auto first = message.find('"');
  const auto last = message.rfind('"');
  if (state == "22021" || first == last)  // names the encoding
    return std::string{message};
  return std::string{message.substr(0, first + 1)}.append("…").append(message.substr(last));
}

Error make(std::string_view state, const StateRule& rule, std::string message) {
  Error::Detail detail{.hint = hint_for(state), .code = std::string{state}};
  detail.retryable = rule.retryable;
  detail.outcome_unknown = rule.outcome_unknown;
  return {rule.kind, std::move(message), std::move(detail)};
}

}  // namespace

Error to_error(const PGresult* result) {
  const auto state = field(result, PG_DIAG_SQLSTATE);
  if (state.empty())
    return {ErrorKind::connection,
            std::string{first_line(PQresultErrorMessage(result))},
            {.code = "08006"}};
  // The server's word for parameters that do not fit their statement: no fault of the protocol.
  if (state == "08P01" && field(result, PG_DIAG_SOURCE_FUNCTION) == "exec_bind_message")
    return {ErrorKind::execution,
            std::string{field(result, PG_DIAG_MESSAGE_PRIMARY)},
            {.hint = "give one parameter for each placeholder", .code = "07001"}};
  auto error = make(state, rule_for(state),
                    without_values(state, field(result, PG_DIAG_MESSAGE_PRIMARY)));
  const auto constraint = field(result, PG_DIAG_CONSTRAINT_NAME);
  if (constraint.empty())
    return error;
  auto detail = error.detail();
  detail.constraint = constraint;
  return {error.kind(), error.message(), std::move(detail)};
}

// The server tells names again that it looked up, and queries of a search that it could not read.
Error to_error(const PGresult* result, const sdk::WireEntry& entry) {
  auto error = to_error(result);
  if (entry.form || entry.set >= entry.statement->sets.size())
    return error;
  auto shown = sdk::hide_parameters(error.message(), entry.statement->sql,
                                    entry.statement->sets[entry.set]);
  return {error.kind(), std::move(shown), error.detail()};
}

// What a bouncer says of its own has one severity, in English.
bool ends_connection(const PGresult* result) noexcept {
  auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity.empty())
    severity = field(result, PG_DIAG_SEVERITY);
  return severity == "FATAL" || severity == "PANIC";
}

bool is_broken_connection(const PGresult* result) noexcept {
  return PQresultStatus(result) == PGRES_FATAL_ERROR && field(result, PG_DIAG_SQLSTATE).empty();
}

bool is_stale_statement(const PGresult* result) noexcept {
  const auto state = field(result, PG_DIAG_SQLSTATE);
  if (state == "26000")
    return true;
  // By the server's routine: the text is translated.
  const auto routine = field(result, PG_DIAG_SOURCE_FUNCTION);
  return state == "0A000"
         && (routine == "RevalidateCachedQuery" || routine == "RevalidateCachedPlan");
}

bool blames_schema(const PGresult* result) noexcept {
  return field(result, PG_DIAG_SQLSTATE).starts_with("42");
}

bool blames_values(const PGresult* result) noexcept {
  const auto state = field(result, PG_DIAG_SQLSTATE);
  return state == "22P02" || state == "22P03" || state == "22003" || state == "22007"
         || state == "22008";
}

bool wants_types(const PGresult* result) noexcept {
  const auto state = field(result, PG_DIAG_SQLSTATE);
  return state == "42P18" || state == "42P08" || state == "42725";
}

Error connect_error(std::string_view message) {
  // `connection to server at "h", port 5432 failed: FATAL:  3D000: database "x" does not exist`
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  ", "PANIC:  "}) {
    const auto at = message.find(severity);
    if (at == std::string_view::npos)
      continue;
    const auto rest = message.substr(at + severity.size());
    if (!starts_with_state(rest))
      continue;
    const auto state = rest.substr(0, 5);
    return make(state, connect_rule_for(state), std::string{first_line(rest.substr(7))});
  }
  Error::Detail detail{.hint = "is the server running, and the address right?", .code = "08001"};
  detail.retryable = true;
  return {ErrorKind::connection, std::string{first_line(message)}, std::move(detail)};
}

Error without_address(const Error& error) {
  auto detail = error.detail();
  std::string message = "the connection cannot be made";
  // libpq says what the system said last: `connection to server at "h", port 1 failed: Connection
  // refused`. Other words of its own quote settings.
  constexpr std::string_view mark = " failed: ";
  const auto at = error.message().rfind(mark);
  const auto reason = at == std::string::npos ? std::string{}
                                              : error.message().substr(at + mark.size());
  if (detail.code == "08001" && !reason.empty() && reason.find('"') == std::string::npos)
    message += ": " + reason;
  if (detail.code == "28P01" || detail.code == "28000")
    message = "the server refuses the user or the password";
  else if (detail.code == "3D000")
    message = "the server has no such database";
  else if (detail.code == "53300")
    message = "the server has no connection left";
  else if (detail.code != "08001")
    message = "the server refuses the connection";
  return {error.kind(), std::move(message), std::move(detail)};
}

Error loss_error(const PGconn* connection) {
  Error::Detail detail{.code = "08006"};
  detail.retryable = true;
  const auto line = first_line(PQerrorMessage(connection));
  return {ErrorKind::connection,
          line.empty() ? "the server closed the connection" : std::string{line}, std::move(detail)};
}

}  // namespace millrace::postgres
