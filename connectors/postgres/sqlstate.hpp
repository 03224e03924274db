// What an SQLSTATE means for the caller, for a retry and for the connection. The table is the
// contract.
#pragma once

#include "connectors/sdk/error.hpp"

#include <span>
#include <string_view>

namespace millrace::postgres {

struct StateRule {
  std::string_view state;  // all five characters, or the first ones of a class
  sdk::ErrorKind kind = sdk::ErrorKind::execution;
  bool retryable = false;        // again later can help, and it has not happened
  bool evict = false;            // the connection is of no use any more
  bool outcome_unknown = false;  // it may have happened all the same
  bool alarm = false;            // the server's data are damaged: people have to look
};

/// In the order of their precedence: the first one that fits decides.
std::span<const StateRule> state_rules() noexcept;

/// The same for a connection that was refused.
std::span<const StateRule> connect_rules() noexcept;

/// The rule for `state` of a refused connection: another code is a mistake in the settings, which
/// trying again does not correct.
const StateRule& connect_rule_for(std::string_view state) noexcept;

/// The rule for `state`; an unknown one is an execution error.
const StateRule& rule_for(std::string_view state) noexcept;

}  // namespace millrace::postgres
