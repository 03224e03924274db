// The health check: one short statement, ahead of everybody, and what its answer says.
#pragma once

#include "actors/db/protocol.hpp"

#include <functional>

namespace millrace::actors::db {

RequestPtr health_request(std::function<void(HealthReport)> done, const PoolServices& services);

}  // namespace millrace::actors::db
