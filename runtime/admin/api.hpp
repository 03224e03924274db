// The admin API: what can be seen of the running process, and what it can be told. The paths are
// documented in docs/operations.md.
#pragma once

#include "actors/engine.hpp"
#include "runtime/admin/server.hpp"
#include "runtime/logging.hpp"
#include "runtime/reloader.hpp"

#include <functional>

namespace millrace::runtime {

/// What the API works on; outlives the server.
struct AdminTarget {
  actors::Engine& engine;
  AdjustableLog& log;
  Reloader& reloader;
  std::function<void()> drain;
};

/// Gives `server` all paths of the API.
void add_admin_routes(AdminServer& server, const AdminTarget& target);

}  // namespace millrace::runtime
