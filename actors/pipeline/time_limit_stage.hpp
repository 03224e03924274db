// TimeLimitStage: gives up waiting for a stage after the step's `timeout`. The stage works on
// copies without Acks; what it answers later is dropped. Whether the work was done nobody knows
// then, and the error says so.
#pragma once

#include "actors/pipeline/stage.hpp"

#include <chrono>

namespace millrace::actors {

/// @param stage gives back as many records as it took, in their order, and changes nothing in them
/// but slot `output`.
StagePtr limit_time(StagePtr stage, std::chrono::milliseconds limit, sdk::Slot output);

}  // namespace millrace::actors
