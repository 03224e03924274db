#include "dsl/expression/function_table.hpp"

#include "dsl/expression/function_bodies.hpp"
#include "dsl/expression/time_text.hpp"

#include <algorithm>
#include <string>

namespace millrace::dsl {

namespace {

using sdk::Value;

using enum ParameterKind;

constexpr std::size_t many = FunctionInfo::any_number;

// Sorted by name.
constexpr std::array table{
  FunctionInfo{.name = "avg",
               .signature = "avg(values…)",
               .doc = "The mean of numbers; null where there are none.",
               .example = "avg($.in.lines[*].price)",
               .least = 1,
               .most = many,
               .parameters = {values, values, values},
               .null_through = false,
               .evaluate = &bodies::avg},
  FunctionInfo{.name = "coalesce",
               .signature = "coalesce(value, value…)",
               .doc = "The first of its arguments that is not null.",
               .example = "coalesce($.in.nick, $.in.name, 'nobody')",
               .least = 1,
               .most = many,
               .null_through = false,
               .evaluate = &bodies::coalesce},
  FunctionInfo{.name = "concat",
               .signature = "concat(value, value…)",
               .doc = "Texts, numbers and booleans one after the other; null counts as nothing.",
               .example = "concat($.in.first, ' ', $.in.last)",
               .least = 1,
               .most = many,
               .parameters = {scalar, scalar, scalar},
               .result = ResultKind::text,
               .null_through = false,
               .evaluate = &bodies::concat},
  FunctionInfo{
    .name = "count",
    .signature = "count(values…)",
    .doc = "How many values there are that are not null: items of a list, or what a path selects.",
    .example = "count($.in.lines[?@.price > 10])",
    .least = 1,
    .most = many,
    .parameters = {values, values, values},
    .result = ResultKind::number,
    .null_through = false,
    .evaluate = &bodies::count},
  FunctionInfo{
    .name = "currentdate",
    .signature = "currentdate()",
    .doc = "Today in UTC, as text: 2026-05-31. A top-level SQL parameter: the database's own.",
    .example = "currentdate()",
    .result = ResultKind::time,
    .pure = false,
    .evaluate = &bodies::currentdate},
  FunctionInfo{.name = "currentdatetime",
               .signature = "currentdatetime()",
               .doc = "Now in UTC, as text: 2026-05-31T10:00:00.123Z. A top-level SQL parameter: "
                      "the database's own.",
               .example = "currentdatetime()",
               .result = ResultKind::time,
               .pure = false,
               .evaluate = &bodies::currentdatetime},
  FunctionInfo{
    .name = "dateadd",
    .signature = "dateadd(time, duration)",
    .doc = "The time moved by an ISO 8601 duration; the day is cut to the length of the month.",
    .example = "dateadd(currentdatetime(), '-P90D')",
    .least = 2,
    .most = 2,
    .parameters = {time, duration, duration},
    .result = ResultKind::time,
    .evaluate = &bodies::dateadd},
  FunctionInfo{
    .name = "datediff",
    .signature = "datediff(from, to, unit)",
    .doc = "Whole units from one time to the other; negative where the second is earlier.",
    .example = "datediff($.in.ordered, currentdatetime(), 'days')",
    .least = 3,
    .most = 3,
    .parameters = {time, time, unit},
    .result = ResultKind::number,
    .evaluate = &bodies::datediff},
  FunctionInfo{.name = "env",
               .signature = "env(name)",
               .doc = "A variable of the environment, read when the file is loaded; secret.",
               .example = "env('API_TOKEN')",
               .least = 1,
               .most = 1,
               .parameters = {text, text, text},
               .result = ResultKind::text},
  FunctionInfo{.name = "format",
               .signature = "format(time, pattern)",
               .doc = "The time written by a pattern of strftime: %Y %m %d %H %M %S %f %L %j %a %A "
                      "%b %B %u %y %s %F %T %Z "
                      "%%.",
               .example = "format($.in.ordered, '%d.%m.%Y')",
               .least = 2,
               .most = 2,
               .parameters = {time, pattern, pattern},
               .result = ResultKind::text,
               .evaluate = &bodies::format},
  FunctionInfo{.name = "length",
               .signature = "length(value)",
               .doc = "Characters of a text, items of a list, members of an object.",
               .example = "length($.in.lines)",
               .least = 1,
               .most = 1,
               .result = ResultKind::number,
               .evaluate = &bodies::length},
  FunctionInfo{.name = "lower",
               .signature = "lower(text)",
               .doc = "The text in lower case.",
               .example = "lower($.in.email)",
               .least = 1,
               .most = 1,
               .parameters = {text, text, text},
               .result = ResultKind::text,
               .evaluate = &bodies::lower},
  FunctionInfo{.name = "max",
               .signature = "max(values…)",
               .doc = "The greatest of numbers or of texts; null where there are none.",
               .example = "max($.in.lines[*].price)",
               .least = 1,
               .most = many,
               .parameters = {values, values, values},
               .null_through = false,
               .evaluate = &bodies::max},
  FunctionInfo{.name = "min",
               .signature = "min(values…)",
               .doc = "The least of numbers or of texts; null where there are none.",
               .example = "min($.in.price, 100)",
               .least = 1,
               .most = many,
               .parameters = {values, values, values},
               .null_through = false,
               .evaluate = &bodies::min},
  FunctionInfo{.name = "number",
               .signature = "number(text)",
               .doc = "The number that a text says, with all its digits: number('1.10') is 1.10.",
               .example = "number($.in.amount)",
               .least = 1,
               .most = 1,
               .result = ResultKind::number,
               .evaluate = &bodies::number},
  FunctionInfo{.name = "sha256",
               .signature = "sha256(value)",
               .doc = "The SHA-256 of a text, as 64 hexadecimal digits.",
               .example = "sha256($.in.email)",
               .least = 1,
               .most = 1,
               .parameters = {scalar, scalar, scalar},
               .result = ResultKind::text,
               .evaluate = &bodies::sha256},
  FunctionInfo{.name = "string",
               .signature = "string(value)",
               .doc = "The value as text; lists and objects as JSON, null stays null.",
               .example = "string($.in.id)",
               .least = 1,
               .most = 1,
               .result = ResultKind::text,
               .evaluate = &bodies::string},
  FunctionInfo{.name = "sum",
               .signature = "sum(values…)",
               .doc = "The sum of numbers: exact for integers (too large: an error) and for "
                      "decimals up to 18 digits on "
                      "each side of the point, else a double; 0 where there are none.",
               .example = "sum($.in.lines[*].price)",
               .least = 1,
               .most = many,
               .parameters = {values, values, values},
               .result = ResultKind::number,
               .null_through = false,
               .evaluate = &bodies::sum},
  FunctionInfo{.name = "trim",
               .signature = "trim(text)",
               .doc = "The text without blanks and line breaks at its ends.",
               .example = "trim($.in.name)",
               .least = 1,
               .most = 1,
               .parameters = {text, text, text},
               .result = ResultKind::text,
               .evaluate = &bodies::trim},
  FunctionInfo{.name = "upper",
               .signature = "upper(text)",
               .doc = "The text in upper case.",
               .example = "upper($.in.country)",
               .least = 1,
               .most = 1,
               .parameters = {text, text, text},
               .result = ResultKind::text,
               .evaluate = &bodies::upper},
  FunctionInfo{.name = "uuid",
               .signature = "uuid()",
               .doc = "A new random UUID (version 4).",
               .example = "uuid()",
               .result = ResultKind::text,
               .pure = false,
               .evaluate = &bodies::uuid},
};

sdk::Status refuse(const Value& value, std::string_view wanted, std::string_view hint) {
  std::string message{"wants "};
  message.append(wanted).append(", not ").append(describe_kind(value.kind()));
  return sdk::Error{sdk::ErrorKind::data, std::move(message), {.hint = std::string{hint}}};
}

}  // namespace

std::span<const FunctionInfo> functions() {
  return table;
}

const FunctionInfo* find_function(std::string_view name) noexcept {
  const auto* found = std::find_if(table.begin(), table.end(), [&](const FunctionInfo& function) {
    return function.name == name;
  });
  return found == table.end() ? nullptr : found;
}

std::string_view describe_kind(sdk::ValueKind kind) noexcept {
  switch (kind) {
  case sdk::ValueKind::null:
    return "null";
  case sdk::ValueKind::boolean:
    return "a boolean";
  case sdk::ValueKind::integer:
    return "an integer";
  case sdk::ValueKind::real:
  case sdk::ValueKind::decimal:
    return "a number";
  case sdk::ValueKind::string:
    return "text like this";
  case sdk::ValueKind::array:
    return "a list";
  case sdk::ValueKind::object:
    return "an object";
  }
  return "this";
}

std::string_view describe(ParameterKind kind) noexcept {
  switch (kind) {
  case any:
    return "a value";
  case text:
    return "text";
  case scalar:
    return "text, a number or a boolean";
  case time:
    return "a time";
  case duration:
    return "a duration";
  case unit:
    return "a unit of time";
  case pattern:
    return "a pattern";
  case values:
    return "values";
  }
  return "a value";
}

sdk::Status check_argument(ParameterKind kind, const Value& value) {
  bool fits = true;
  std::string_view hint;
  switch (kind) {
  case any:
  case values:
    break;
  case text:
    fits = value.is_string();
    break;
  case scalar:
    fits = value.is_string() || value.is_number() || value.is_boolean();
    break;
  case time:
    fits = parse_time(value).has_value();
    hint = "write it like 2026-05-31 or 2026-05-31T10:00:00Z";
    break;
  case duration:
    fits = value.is_string() && parse_iso_duration(value.as_string());
    hint = "write it in ISO 8601, like P90D, -P1M or PT15M";
    break;
  case unit:
    fits = value.is_string() && parse_unit(value.as_string());
    hint = "there is milliseconds, seconds, minutes, hours, days, weeks, months, years";
    break;
  case pattern:
    fits = value.is_string() && format_pattern({}, value.as_string());
    hint = "it knows %Y %m %d %H %M %S %f %L %j %a %A %b %B %u %y %s %F %T %Z %%";
    break;
  }
  return fits ? sdk::Status{} : refuse(value, describe(kind), hint);
}

}  // namespace millrace::dsl
