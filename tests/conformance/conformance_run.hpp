// Runs pipelines around the source or the sink of a World, as a user would.
#pragma once

#include "tests/conformance/world.hpp"
#include "tests/runtime/millrace.hpp"
#include "tests/support/process.hpp"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

/// A launch of `millrace run` of one pipeline over the world's servers, in its folder.
inline Launch launch_in(const World& world, const std::string& steps,
                        std::vector<std::string> flags, const std::string& servers) {
  const auto file = world.scratch().write("pipeline.yaml",
                                          (servers.empty() ? std::string{} : "servers:\n" + servers)
                                            + "name: trial\nsteps:\n" + steps);
  flags.insert(flags.begin(), {"run", file});
  auto launch = millrace_launch(std::move(flags));
  launch.directory = world.scratch().path({});
  return launch;
}

/// The port that the process said it listens at.
inline std::uint16_t port_of(Process& process) {
  if (!process.wait_for("http route opened"))
    return 0;
  const std::string mark = "port=";
  const auto at = process.err().find(mark);
  return static_cast<std::uint16_t>(std::atoi(process.err().c_str() + at + mark.size()));
}

}  // namespace millrace::test
