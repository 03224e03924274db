// The functions of expressions: one table that parses, checks, documents and runs them.
//
//   for (const FunctionInfo& function : functions()) print(function.signature, function.doc);
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace millrace::dsl {

enum class ParameterKind : std::uint8_t {
  any,
  text,      // a string
  scalar,    // a string, number or boolean
  time,      // ISO 8601 text, or milliseconds since 1970
  duration,  // ISO 8601: "P90D", "-PT15M"
  unit,      // "days", …
  pattern,   // of format()
  values,    // an array, a path that selects several, or one value
};

enum class ResultKind : std::uint8_t { any, text, number, time };

struct FunctionInfo {
  using Evaluate = sdk::Result<sdk::Value> (*)(const sdk::Clock& clock,
                                               std::span<const sdk::Value> arguments);

  static constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

  std::string_view name;
  std::string_view signature;  // "dateadd(time, duration)"
  std::string_view doc;        // one sentence
  std::string_view example;    // "dateadd('2026-01-31', 'P1M') = '2026-02-28'"
  std::size_t least = 0;       // arguments
  std::size_t most = 0;
  std::array<ParameterKind, 3>
    parameters{};  // of the first three; the third serves for all behind it
  ResultKind result = ResultKind::any;
  bool pure = true;             // the same arguments always give the same result
  bool null_through = true;     // a null argument makes the result null
  Evaluate evaluate = nullptr;  // null: the compiler does it (env)

  ParameterKind parameter(std::size_t index) const noexcept {
    return parameters[index < parameters.size() ? index : parameters.size() - 1];
  }
};

/// By name.
std::span<const FunctionInfo> functions();

/// @returns null where there is none of that name.
const FunctionInfo* find_function(std::string_view name) noexcept;

/// Whether `value` can be an argument of that kind; else the reason ("a duration is written like
/// 'P90D'").
sdk::Status check_argument(ParameterKind kind, const sdk::Value& value);

/// "text", "a time", …: for messages.
std::string_view describe(ParameterKind kind) noexcept;

/// "an integer", "text like this", …: what an argument is instead.
std::string_view describe_kind(sdk::ValueKind kind) noexcept;

}  // namespace millrace::dsl
