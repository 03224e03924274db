// How a session ends: its connection goes back as if it were new, or is lost; and what became of a
// COMMIT whose answer was lost with it.
#pragma once

#include "actors/db/session.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace millrace::actors::db {

/// Those of what takes the session's traces away count from here.
inline constexpr std::uint64_t first_reset_entry = std::uint64_t{1} << 32U;

/// Whether a statement may leave something behind in its connection, so that it has to be reset.
bool leaves_traces(const PoolServices& services, std::string_view sql);

/// Adds what makes the connection as new to a burst that ends the transaction.
void add_resets(SessionState& state, std::vector<sdk::WireEntry>& entries);

/// Gives the connection back, at once or when it is as new.
void leave(SessionSelf self);

/// An answer to one of `add_resets`.
void take_reset(SessionSelf self, const ItemAnswer& answer);

/// The connection is gone. The server rolls back what it lost sight of, but for a COMMIT that was
/// under way.
void lose_connection(SessionSelf self, const sdk::WireLoss& loss);

/// Asks what became of the lost COMMIT.
void ask_outcome(SessionSelf self);
void take_outcome(SessionSelf self, const ExecuteReply& reply);

}  // namespace millrace::actors::db
