#include "runtime/console.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <system_error>
#include <unistd.h>

namespace millrace::runtime {

namespace {

constexpr std::string_view red = "\x1b[1;31m";
constexpr std::string_view yellow = "\x1b[1;33m";
constexpr std::string_view plain = "\x1b[0m";

/// @returns 0, or the errno of the write that failed.
int write_fully(int fd, std::string_view text) noexcept {
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR)
      return errno;
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

sdk::Error io_error(std::string what, int code) {
  return {sdk::ErrorKind::io, std::move(what) + ": " + std::generic_category().message(code)};
}

}  // namespace

bool is_terminal(int fd) noexcept {
  return ::isatty(fd) == 1;
}

bool wants_colour(int fd) noexcept {
  const char* no_colour = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): nobody sets
  return (no_colour == nullptr || *no_colour == '\0') && is_terminal(fd);
}

Console::Console() : colour_{wants_colour(STDERR_FILENO)} {
}

void Console::print(std::string_view text) {
  if (failure_ == 0)
    failure_ = write_fully(STDOUT_FILENO, text);
}

void Console::write_error(std::string_view text) noexcept {
  // Where even stderr is gone there is nobody left to tell.
  static_cast<void>(write_fully(STDERR_FILENO, text));
}

void Console::complain(std::string_view message, std::string_view hint) {
  std::string text{"millrace: "};
  if (colour_)
    text += red;
  text += "error:";
  if (colour_)
    text += plain;
  text.append(" ").append(message).append("\n");
  if (!hint.empty())
    text.append("  hint: ").append(hint).append("\n");
  write_error(text);
}

void Console::complain(const sdk::Error& error) {
  complain(error.message(), error.hint());
}

void Console::report(const sdk::Diagnostics& diagnostics) {
  std::string text;
  for (const auto& diagnostic : diagnostics.all()) {
    const bool paint = colour_ && diagnostic.severity != sdk::Severity::note;
    if (paint)
      text += diagnostic.severity == sdk::Severity::error ? red : yellow;
    const std::string lines = diagnostic.to_string();
    const auto first = lines.find('\n');
    text.append(lines, 0, first);
    if (paint)
      text += plain;
    if (first != std::string::npos)
      text.append(lines, first);
    text += '\n';
  }
  write_error(text);
}

sdk::Status Console::finish() const {
  if (failure_ == 0)
    return {};
  return io_error("cannot write to stdout", failure_);
}

sdk::Result<std::string> read_all(const std::string& path) {
  const bool standard = path.empty() || path == "-";
  const std::string name = standard ? "stdin" : "'" + path + "'";
  const int fd = standard ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return io_error("cannot open " + name, errno);
  std::string text;
  std::array<char, 65536> buffer{};
  int failure = 0;
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0)
      break;
    if (got > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      failure = errno;
      break;
    }
  }
  if (!standard)
    ::close(fd);
  if (failure != 0)
    return io_error("cannot read " + name, failure);
  return text;
}

}  // namespace millrace::runtime
