// millrace(1).
#include "runtime/command_line.hpp"
#include "runtime/verbs.hpp"

#include <csignal>
#include <exception>
#include <variant>

int main(int argc, char** argv) {
  using namespace millrace::runtime;  // NOLINT(google-build-using-namespace): this file is its face
  // A reader that goes away is an error of that write, not the end of the process.
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  Console console;
  ExitCode code = ExitCode::internal;
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* advice = std::get_if<Advice>(&parsed)) {
      code = advice->code;
      if (code == ExitCode::ok)
        console.print(advice->text);
      else
        console.complain(advice->text);
    } else {
      code = std::visit([&](const auto& options) { return execute(options, console); },
                        std::get<Command>(parsed));
    }
  } catch (const std::exception& bug) {
    console.complain(bug.what(), "this is a bug of millrace; please report it");
  }
  if (const auto written = console.finish(); !written && code == ExitCode::ok) {
    console.complain(written.error());
    code = ExitCode::io;
  }
  return static_cast<int>(code);
}
