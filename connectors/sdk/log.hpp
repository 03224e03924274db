// Log: one event a line, in the past tense, with fields: log.warn("session lost", {{"db", name},
// {"sqlstate", state}}). Per-record events are metrics, not log lines; payloads and secrets stay
// out.
#pragma once

#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

namespace millrace::sdk {

enum class LogLevel : std::uint8_t { trace, debug, info, warn, error, off };

struct LogField {
  std::string_view name;
  Value value;
};

/// Thread-safe; never blocks on the reader of the log for long.
class Log {
public:
  virtual ~Log() = default;
  virtual bool enabled(LogLevel level) const noexcept = 0;
  virtual void write(LogLevel level, std::string_view event,
                     std::span<const LogField> fields) noexcept = 0;

  void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
    put(LogLevel::debug, event, fields);
  }

  void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
    put(LogLevel::info, event, fields);
  }

  void warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
    put(LogLevel::warn, event, fields);
  }

  void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
    put(LogLevel::error, event, fields);
  }

private:
  void put(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
    if (enabled(level))
      write(level, event, {fields.begin(), fields.size()});
  }
};

/// Says nothing.
Log& silent_log() noexcept;

}  // namespace millrace::sdk
