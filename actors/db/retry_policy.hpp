// The retry policy of the SDK, which its own clients follow too.
#pragma once

#include "connectors/sdk/retry_policy.hpp"

namespace millrace::actors::db {

using sdk::Backoff;
using sdk::judge_loss;
using sdk::LossVerdict;
using sdk::outcome_unknown;
using sdk::RetryPolicy;

}  // namespace millrace::actors::db
