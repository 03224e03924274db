#include "connectors/timer/config.hpp"

#include <string>
#include <utility>

namespace millrace::timer {

using namespace std::chrono_literals;

void read_config(sdk::ConfigReader& in, TimerConfig& out) {
  in.optional("every", out.every, "Time from tick to tick; the first comes at the start");
  in.check(!out.every || *out.every >= 1ms, "every", "1ms or more");
  std::string cron;
  in.optional(
    "cron", cron,
    "When to tick: [second] minute hour day-of-month month day-of-week, or @daily and the like");
  if (in.has("cron")) {
    if (auto schedule = CronSchedule::parse(cron))
      out.cron = *schedule;
    else
      in.error("cron", schedule.error().message(), schedule.error().hint());
  }
  std::string zone = "UTC";
  in.optional("timeZone|time_zone", zone, "Zone of the clock that 'cron' means, as Europe/Rome");
  if (auto found = TimeZone::find(zone))
    out.zone = *found;
  else
    in.error(in.has("time_zone") ? "time_zone" : "timeZone", found.error().message(),
             found.error().hint());
  if (in.is_describing())
    return;
  if (in.has("every") == in.has("cron"))
    in.error(in.has("cron") ? "cron" : "", "a timer needs 'every' or 'cron', and not both",
             "as in: every: 10s");
  if ((in.has("timeZone") || in.has("time_zone")) && in.has("every"))
    in.error(in.has("time_zone") ? "time_zone" : "timeZone",
             "a time zone says something about 'cron' only", "remove it");
}

}  // namespace millrace::timer
