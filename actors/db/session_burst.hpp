// What a session sends at once: BEGIN with the first command, the last statement with its COMMIT,
// and the question for the transaction's number where it may be needed.
#pragma once

#include "actors/db/session.hpp"

namespace millrace::actors::db {

/// The ids of entries that are no items of the command under way.
inline constexpr std::uint64_t begin_entry = ~std::uint64_t{0};
inline constexpr std::uint64_t number_entry = begin_entry - 1;  // asks for the transaction's number
inline constexpr std::uint64_t probe_entry = begin_entry - 2;   // whether it can be asked for
inline constexpr std::uint64_t ahead_entry = begin_entry - 3;   // `SessionState::ahead`

bool ends_transaction(sdk::SessionVerb verb);

RequestPtr rollback_request();

/// Whether `next`, a COMMIT, may travel with `command`: under one Sync, so that it is skipped where
/// the command fails.
bool travels_with(const SessionState& state, const SessionCommand& command,
                  const SessionCommand& next);

/// Where the wire is gone the session hears of that by itself.
void send_entries(const SessionState& state, std::vector<sdk::WireEntry> entries);

/// Sends `state.running`, and what goes ahead of it.
void send_running(SessionSelf self);

/// The transaction's number, of an answer to the question for it; empty: it has none yet.
std::string number_in(const sdk::SqlResult& result);

}  // namespace millrace::actors::db
