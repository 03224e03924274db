// Runs the millrace executable of this build: millrace({"version"}).out.
#pragma once

#include "tests/support/process.hpp"

#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

inline Launch millrace_launch(std::vector<std::string> arguments, std::string input = {}) {
  // Many run at once, and there is one default address.
  Launch launch{.arguments = {MILLRACE_BINARY_DIR "/millrace"},
                .input = std::move(input),
                .environment = {{"MILLRACE_ADMIN_ADDRESS", "off"}}};
  for (auto& argument : arguments)
    launch.arguments.push_back(std::move(argument));
  return launch;
}

inline Finished millrace(std::vector<std::string> arguments, std::string input = {}) {
  return run_process(millrace_launch(std::move(arguments), std::move(input)));
}

}  // namespace millrace::test
