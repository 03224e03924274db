// A connection in the pool, and what the pool knows of it.
#pragma once

#include "connectors/postgres/client/link.hpp"
#include "connectors/sdk/clock.hpp"

#include <cstdint>
#include <memory>

namespace millrace::postgres {

struct PooledLink {
  enum class State : std::uint8_t {
    dialing,
    idle,
    lent,
    busy /* with the pool's own statements */
  };

  std::shared_ptr<ClientLink> link;
  State state = State::dialing;
  sdk::Instant retires_at = sdk::Instant::max();
  sdk::Instant idle_since{};
  sdk::TimerId leak_timer = 0;
};

}  // namespace millrace::postgres
