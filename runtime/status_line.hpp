// StatusLine: the last line of a terminal, rewritten in place; what else goes to the terminal takes
// turns with it.
//
//   StatusLine status{STDERR_FILENO};
//   status.show("loyalty: 1,200 records, 600/s");
//   status.write("a log line\n");    // above the status
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace millrace::runtime {

/// Thread-safe. Never waits for a slow reader for long: what cannot be written within 100 ms is
/// dropped, and counted.
class StatusLine {
public:
  explicit StatusLine(int fd) : fd_{fd} {}

  /// Replaces the status; empty takes it away. Only for terminals.
  void show(std::string_view status);

  /// Writes whole lines above the status.
  void write(std::string_view lines);

  /// Writes that nobody took in time.
  std::uint64_t dropped() const;

private:
  void put(std::string_view text);

  const int fd_;
  mutable std::mutex mutex_;
  std::string status_;
  std::uint64_t dropped_ = 0;
  bool stuck_ = false;  // the last write timed out: the next one does not wait
};

}  // namespace millrace::runtime
