// TimeZone: the local clock of an IANA zone, as stretches of time in which its offset does not
// change.
//
//   auto rome = TimeZone::find("Europe/Rome");
//   auto winter = rome->stretch(instant);   // winter.offset == 1h
#pragma once

#include "connectors/sdk/result.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace millrace::timer {

/// [begin, end) on the UTC clock; local time is UTC + offset.
struct ZoneStretch {
  std::chrono::sys_seconds begin;
  std::chrono::sys_seconds end;
  std::chrono::seconds offset;
};

/// Cheap to copy. Zones are read from the system's time zone database once and live to the end of
/// the process.
class TimeZone {
public:
  /// @returns kind `config` with a near name where there is no such zone.
  static sdk::Result<TimeZone> find(std::string_view name);

  /// UTC, which needs no database.
  static TimeZone utc() noexcept { return TimeZone{nullptr}; }

  /// The stretch that holds `at`. Beyond 2037 the offset of then is kept, as the database ends
  /// there.
  ZoneStretch stretch(std::chrono::sys_seconds at) const;

private:
  explicit TimeZone(const void* zone) noexcept : zone_{zone} {}

  const void* zone_;  // a date::time_zone of the library's own list; null: UTC
};

}  // namespace millrace::timer
