#include "dsl/expression/function_bodies.hpp"
#include "dsl/expression/function_table.hpp"
#include "dsl/expression/time_text.hpp"

namespace millrace::dsl::bodies {

namespace {

using sdk::Error;
using sdk::ErrorKind;
using sdk::Value;

Error out_of_range() {
  return {ErrorKind::data, "the result lies outside the years 1 to 9999"};
}

TimePoint now(const sdk::Clock& clock) {
  // Three digits of a second always: texts of the same length compare like the times they say.
  return {std::chrono::floor<std::chrono::milliseconds>(clock.wall())};
}

}  // namespace

Answer currentdatetime(const sdk::Clock& clock, Arguments) {
  return Value{format_time(now(clock))};
}

Answer currentdate(const sdk::Clock& clock, Arguments) {
  return Value{format_time({std::chrono::floor<std::chrono::days>(clock.wall()), true})};
}

Answer dateadd(const sdk::Clock&, Arguments in) {
  const auto time = parse_time(in[0]);
  if (!time)
    return check_argument(ParameterKind::time, in[0]).error();
  if (auto status = check_argument(ParameterKind::duration, in[1]); !status)
    return status.error();
  const auto moved = add(*time, *parse_iso_duration(in[1].as_string()));
  if (!moved)
    return out_of_range();
  return Value{format_time(*moved)};
}

Answer datediff(const sdk::Clock&, Arguments in) {
  const auto from = parse_time(in[0]);
  const auto to = parse_time(in[1]);
  if (!from || !to)
    return check_argument(ParameterKind::time, in[from ? 1 : 0]).error();
  if (auto status = check_argument(ParameterKind::unit, in[2]); !status)
    return status.error();
  return Value{difference(*from, *to, *parse_unit(in[2].as_string()))};
}

Answer format(const sdk::Clock&, Arguments in) {
  const auto time = parse_time(in[0]);
  if (!time)
    return check_argument(ParameterKind::time, in[0]).error();
  if (auto status = check_argument(ParameterKind::pattern, in[1]); !status)
    return status.error();
  return Value{*format_pattern(*time, in[1].as_string())};
}

}  // namespace millrace::dsl::bodies
