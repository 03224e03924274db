// The command line of millrace(1), read into a Command; nothing is carried out here.
#pragma once

#include "runtime/exit_code.hpp"
#include "runtime/options.hpp"

#include <string>
#include <variant>

namespace millrace::runtime {

/// Not a command but something to say: help that was asked for (`ok`, for stdout), or what is wrong
/// with the line (`usage`, for stderr).
struct Advice {
  std::string text;
  ExitCode code = ExitCode::ok;
};

/// Reads the arguments, and for flags that are not there their environment twins MILLRACE_….
std::variant<Command, Advice> parse_command_line(int argc, const char* const* argv);

}  // namespace millrace::runtime
