// The clock for rights that end by the time of another machine: it also runs while this one sleeps,
// which the clock for deadlines does not.
#pragma once

#include "connectors/sdk/clock.hpp"

namespace millrace::sdk {

/// `now` counts from the machine's start: its instants compare with each other only.
const Clock& boot_clock() noexcept;

}  // namespace millrace::sdk
