#include "connectors/timer/time_zone.hpp"

#include "connectors/sdk/diagnostic.hpp"

#include <date/tz.h>
#include <exception>
#include <vector>

namespace millrace::timer {

namespace {

sdk::Error no_zone(std::string_view name) {
  std::string hint;
  try {
    std::vector<std::string_view> names;
    for (const auto& zone : date::get_tzdb().zones)
      names.emplace_back(zone.name());
    hint = sdk::did_you_mean(name, names);
  } catch (const std::exception&) {
    hint = "this system has no time zone database; install tzdata";
  }
  if (hint.empty())
    hint = "names are those of the IANA database, such as Europe/Rome";
  return {sdk::ErrorKind::config,
          "there is no time zone '" + std::string{name} + "'",
          {.hint = std::move(hint)}};
}

}  // namespace

sdk::Result<TimeZone> TimeZone::find(std::string_view name) {
  if (name == "UTC" || name == "Z")
    return utc();
  try {
    return TimeZone{date::locate_zone(name)};
  } catch (const std::exception&) {
    return no_zone(name);
  }
}

ZoneStretch TimeZone::stretch(std::chrono::sys_seconds at) const {
  using std::chrono::sys_days;
  using namespace std::chrono_literals;
  // Bounds that leave room for arithmetic.
  static constexpr std::chrono::sys_seconds first = sys_days{1800y / 1 / 1};
  static constexpr std::chrono::sys_seconds last = sys_days{10000y / 1 / 1};
  if (zone_ == nullptr)
    return {first, last, 0s};
  const auto info = static_cast<const date::time_zone*>(zone_)->get_info(at);
  return {std::max(first, info.begin), std::min(last, info.end), info.offset};
}

}  // namespace millrace::timer
