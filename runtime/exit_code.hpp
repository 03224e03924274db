// What millrace(1) ends with: sysexits(3), so that scripts and service managers can tell why.
#pragma once

#include "connectors/sdk/error.hpp"

#include <cstdint>

namespace millrace::runtime {

enum class ExitCode : std::uint8_t {
  ok = 0,
  failed = 1,        // a check said no
  usage = 64,        // the command line is wrong
  unavailable = 69,  // a database, broker or service cannot be reached
  internal = 70,     // a bug of ours
  io = 74,           // a file, pipe or disk failed
  unfinished = 75,   // stopped with work that did not settle
  config = 78,       // a mistake in a file
};

/// The code for an error that kept something from starting.
ExitCode exit_code_of(const sdk::Error& error) noexcept;

}  // namespace millrace::runtime
