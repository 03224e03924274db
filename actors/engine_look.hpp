// What an Engine says of its servers.
#pragma once

#include "actors/db/database_handle.hpp"

#include <optional>
#include <string>

namespace millrace::actors {

struct ServerStatus {
  std::string name;
  std::string protocol;
  std::string driver;                  // of a database
  std::optional<PoolInfo> pool;        // none: no database, or its pool did not answer
  std::optional<HealthReport> health;  // none: not asked, or nobody can be
};

}  // namespace millrace::actors
