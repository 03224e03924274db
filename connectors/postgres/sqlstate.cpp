#include "connectors/postgres/sqlstate.hpp"

#include <array>

namespace millrace::postgres {

namespace {

using enum sdk::ErrorKind;

constexpr bool again = true;
constexpr bool evict = true;
constexpr bool unsure = true;

constexpr std::array rules{
  // Losing the connection.
  StateRule{"57P03", connection, again, evict},          // cannot_connect_now: starting up
  StateRule{"53300", connection, again, evict},          // too_many_connections
  StateRule{"28", connection, false, evict},             // refused: password, pg_hba
  StateRule{"3D000", connection, false, evict},          // no such database
  StateRule{"57P01", connection, again, evict},          // admin_shutdown
  StateRule{"57P05", connection, again, evict},          // idle_session_timeout
  StateRule{"57P02", connection, false, evict, unsure},  // crash_shutdown
  StateRule{"57P04", connection, false, evict},          // database_dropped
  StateRule{"08007", connection, false, evict, unsure},  // transaction_resolution_unknown
  StateRule{"08P01", connection, false, evict},          // protocol_violation
  StateRule{"08", connection, again, evict},
  // Conflicts: nothing happened, and the same may pass the next time.
  StateRule{"40001", transaction, again}, StateRule{"40P01", transaction, again},
  StateRule{"40003", transaction, false, false, unsure}, StateRule{"40", transaction},
  // Misuse of transactions.
  StateRule{"25006", execution},                  // read-only transaction
  StateRule{"25P03", transaction, false, evict},  // idle_in_transaction_session_timeout
  StateRule{"25P04", timeout, false, evict},      // transaction_timeout
  StateRule{"25", transaction}, StateRule{"2D000", transaction}, StateRule{"3B", transaction},
  StateRule{"0B000", transaction}, StateRule{"72000", transaction},
  // Limits of time.
  StateRule{"57014", timeout}, StateRule{"55P03", timeout},
  // The rest is the statement's or the server's own trouble.
  StateRule{"58030", execution, false, evict},               // io_error
  StateRule{"XX001", execution, false, false, false, true},  // data_corrupted
  StateRule{"XX002", execution, false, false, false, true},  // index_corrupted
};

// Full, starting, stopping, or in trouble of its own: another time, or another host, may do.
constexpr std::array at_connect{
  StateRule{"57P03", connection, again}, StateRule{"53", connection, again},
  StateRule{"57P01", connection, again}, StateRule{"57P02", connection, again},
  StateRule{"08P01", connection, false}, StateRule{"08", connection, again},
  StateRule{"25006", connection, again}, StateRule{"58", connection, again},
  StateRule{"XX000", connection, again},
};

constexpr StateRule refused{"", connection};

constexpr StateRule other{"", execution};

}  // namespace

std::span<const StateRule> state_rules() noexcept {
  return rules;
}

std::span<const StateRule> connect_rules() noexcept {
  return at_connect;
}

const StateRule& connect_rule_for(std::string_view state) noexcept {
  for (const auto& rule : at_connect) {
    if (state.starts_with(rule.state))
      return rule;
  }
  return refused;
}

const StateRule& rule_for(std::string_view state) noexcept {
  for (const auto& rule : rules) {
    if (state.starts_with(rule.state))
      return rule;
  }
  return other;
}

}  // namespace millrace::postgres
