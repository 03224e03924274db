// What `copyIn` writes, and where: read from its options.
#pragma once

#include "dsl/compile/catalogue.hpp"

#include <memory>

namespace millrace::dsl {

/// @returns null after a mistake, and in describing mode.
std::shared_ptr<const CopyTarget> read_copy_target(StepInput& in);

}  // namespace millrace::dsl
