// Which servers to try, and for what: the hosts of the settings, else those of the service file and
// of libpq's variables (PGHOST, PGSERVICE, …).
#pragma once

#include "connectors/sdk/database_settings.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace millrace::postgres {

struct Target {
  sdk::DatabaseHost host;
  std::string address;             // where it is given (hostaddr); then nothing is to be resolved
  std::string session_attributes;  // what libpq is to check
};

/// Every host once, in an order that `seed` decides. `prefer-standby` gives two rounds: one host at
/// a time, libpq would take the first it meets.
std::vector<Target> targets_of(const sdk::DatabaseSettings& settings, std::uint64_t seed);

}  // namespace millrace::postgres
