#include "runtime/console.hpp"

#include "connectors/sdk/system_error.hpp"
#include "runtime/read_file.hpp"

#include <cerrno>
#include <cstdlib>
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
  return sdk::system_error("cannot write to stdout", failure_);
}

sdk::Result<std::string> read_all(const std::string& path) {
  return path.empty() || path == "-" ? read_descriptor(STDIN_FILENO, "stdin") : read_file(path);
}

}  // namespace millrace::runtime
