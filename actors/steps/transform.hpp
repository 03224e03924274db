// What a `transform` step makes of one record.
#pragma once

#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "dsl/program.hpp"

namespace millrace::actors {

/// In this order: `from` (else an empty object), `set` over it, `pick`, `drop`, `rename`.
/// @returns kind `data` where `from` is no object although members are asked of it, or a rename
/// would overwrite.
sdk::Result<sdk::Value> transform(const dsl::Transform& spec, const sdk::Record& record);

}  // namespace millrace::actors
