// The log of the process: sdk::Log over spdlog, one line an event, to stderr.
//
//   StatusLine stderr_lines{STDERR_FILENO};
//   auto log = make_log({.level = sdk::LogLevel::info}, stderr_lines);
//   log->info("pipeline started", {{"pipeline", name}});
//   // 2026-11-21T13:00:00.123Z info  pipeline started pipeline=loyalty
//   // {"time":"2026-11-21T13:00:00.123Z","level":"info","event":"pipeline
//   started","pipeline":"loyalty"}
#pragma once

#include "connectors/sdk/log.hpp"
#include "runtime/options.hpp"
#include "runtime/status_line.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace millrace::runtime {

/// A log whose least level can be changed while it is written. Thread-safe.
class AdjustableLog : public sdk::Log {
public:
  virtual sdk::LogLevel level() const noexcept = 0;
  virtual void set_level(sdk::LogLevel level) noexcept = 0;
};

/// `lines` must outlive it. Warnings and errors that repeat are limited (log_repeats.hpp); their
/// rest is counted in a line of its own at the end.
std::unique_ptr<AdjustableLog> make_log(const LogOptions& options, StatusLine& lines);

/// "event key=value key=\"a b\"": on one line whatever the values hold.
std::string format_text(std::string_view event, std::span<const sdk::LogField> fields);

/// "\"event\":…,\"key\":…": the members behind time and level.
std::string format_json(std::string_view event, std::span<const sdk::LogField> fields);

}  // namespace millrace::runtime
