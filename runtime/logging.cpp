// The only file that knows spdlog.
#include "runtime/logging.hpp"

#include "runtime/console.hpp"
#include "runtime/log_repeats.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <unistd.h>

namespace millrace::runtime {

namespace {

spdlog::level::level_enum to_spdlog(sdk::LogLevel level) noexcept {
  switch (level) {
  case sdk::LogLevel::trace:
    return spdlog::level::trace;
  case sdk::LogLevel::debug:
    return spdlog::level::debug;
  case sdk::LogLevel::info:
    return spdlog::level::info;
  case sdk::LogLevel::warn:
    return spdlog::level::warn;
  case sdk::LogLevel::error:
    return spdlog::level::err;
  case sdk::LogLevel::off:
    return spdlog::level::off;
  }
  return spdlog::level::off;
}

/// Puts formatted lines above the status line, coloured where that is wanted.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
public:
  LineSink(StatusLine& lines, bool colour) : lines_{lines}, colour_{colour} {}

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t formatted;
    formatter_->format(message, formatted);
    std::string line{formatted.data(), formatted.size()};
    if (colour_ && message.level >= spdlog::level::warn) {
      line.insert(message.color_range_end, "\x1b[0m");
      line.insert(message.color_range_start,
                  message.level == spdlog::level::warn ? "\x1b[1;33m" : "\x1b[1;31m");
    }
    lines_.write(line);
  }

  void flush_() override {}

private:
  StatusLine& lines_;
  const bool colour_;
};

class ProcessLog : public AdjustableLog {
public:
  ProcessLog(const LogOptions& options, StatusLine& lines)
    : json_{options.format == LogFormat::json},
      logger_{"millrace",
              std::make_shared<LineSink>(lines, !json_ && wants_colour(STDERR_FILENO))} {
    // Words of our own for the levels: spdlog says "warning".
    auto formatter = std::make_unique<spdlog::pattern_formatter>(
      json_ ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %^%v%$",
      spdlog::pattern_time_type::utc);
    logger_.set_formatter(std::move(formatter));
    set_level(options.level);
  }

  ~ProcessLog() override {
    try {
      for (const auto& [event, count] : repeats_.take_held_back()) {
        const std::array fields{sdk::LogField{"of", event}, sdk::LogField{"count", count}};
        put(sdk::LogLevel::warn, "repeats held back", fields);
      }
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the end, and nobody to tell
    }
  }

  ProcessLog(const ProcessLog&) = delete;
  ProcessLog& operator=(const ProcessLog&) = delete;

  sdk::LogLevel level() const noexcept override { return level_.load(std::memory_order_relaxed); }

  void set_level(sdk::LogLevel level) noexcept override {
    level_.store(level, std::memory_order_relaxed);
    logger_.set_level(to_spdlog(level));
  }

  bool enabled(sdk::LogLevel level) const noexcept override {
    return level != sdk::LogLevel::off && logger_.should_log(to_spdlog(level));
  }

  void write(sdk::LogLevel level, std::string_view event,
             std::span<const sdk::LogField> fields) noexcept override {
    if (!enabled(level))
      return;
    try {
      std::uint64_t held_back = 0;
      if (level >= sdk::LogLevel::warn) {
        const std::lock_guard lock{mutex_};
        const auto admitted = repeats_.admit(event, sdk::system_clock().now());
        if (!admitted)
          return;
        held_back = *admitted;
      }
      if (held_back == 0) {
        put(level, event, fields);
        return;
      }
      std::vector<sdk::LogField> more{fields.begin(), fields.end()};
      more.push_back({"held_back_before", held_back});
      put(level, event, more);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): a log must not bring us down
    }
  }

private:
  void put(sdk::LogLevel level, std::string_view event, std::span<const sdk::LogField> fields) {
    std::string line;
    if (json_) {
      line.append("\"level\":\"").append(to_word(level)).append("\",");
      line += format_json(event, fields);
    } else {
      line.append(to_word(level)).append(level_width - to_word(level).size(), ' ');
      line += format_text(event, fields);
    }
    logger_.log(to_spdlog(level), spdlog::string_view_t{line.data(), line.size()});
  }

  static std::string_view to_word(sdk::LogLevel level) noexcept {
    switch (level) {
    case sdk::LogLevel::trace:
      return "trace";
    case sdk::LogLevel::debug:
      return "debug";
    case sdk::LogLevel::info:
      return "info";
    case sdk::LogLevel::warn:
      return "warn";
    case sdk::LogLevel::error:
      return "error";
    case sdk::LogLevel::off:
      break;
    }
    return "off";
  }

  static constexpr std::size_t level_width = 6;

  const bool json_;
  spdlog::logger logger_;
  std::atomic<sdk::LogLevel> level_{sdk::LogLevel::info};
  std::mutex mutex_;  // guards repeats_
  LogRepeats repeats_;
};

}  // namespace

std::unique_ptr<AdjustableLog> make_log(const LogOptions& options, StatusLine& lines) {
  return std::make_unique<ProcessLog>(options, lines);
}

}  // namespace millrace::runtime
