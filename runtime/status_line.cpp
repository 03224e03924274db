#include "runtime/status_line.hpp"

#include <cerrno>
#include <climits>
#include <poll.h>
#include <unistd.h>

namespace millrace::runtime {

namespace {

constexpr std::string_view clear_line = "\r\x1b[K";
constexpr int patience_ms = 100;

}  // namespace

void StatusLine::show(std::string_view status) {
  const std::lock_guard lock{mutex_};
  if (status == status_)
    return;
  status_ = status;
  put(std::string{clear_line} + status_);
}

void StatusLine::write(std::string_view lines) {
  const std::lock_guard lock{mutex_};
  if (status_.empty())
    put(lines);
  else
    put(std::string{clear_line}.append(lines).append(status_));
}

std::uint64_t StatusLine::dropped() const {
  const std::lock_guard lock{mutex_};
  return dropped_;
}

void StatusLine::put(std::string_view text) {
  while (!text.empty()) {
    pollfd ready{fd_, POLLOUT, 0};
    if (::poll(&ready, 1, stuck_ ? 0 : patience_ms) <= 0) {
      stuck_ = true;
      ++dropped_;
      return;
    }
    stuck_ = false;
    // A pipe that polls writable takes PIPE_BUF bytes without blocking (pipe(7)).
    const auto piece = text.substr(0, PIPE_BUF);
    const auto written = ::write(fd_, piece.data(), piece.size());
    if (written < 0 && errno != EINTR)
      return;
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace millrace::runtime
