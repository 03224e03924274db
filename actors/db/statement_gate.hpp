// StatementGate: what may run on a connection that everybody shares. Transaction control there
// would swallow the statements of others; what leaves something behind in its connection needs one
// of its own.
#pragma once

#include "connectors/sdk/error.hpp"

#include <optional>
#include <string_view>

namespace millrace::actors::db {

/// Why `sql` must not run outside a session; none: it may.
std::optional<sdk::Error> shared_lane_refusal(std::string_view sql);

}  // namespace millrace::actors::db
