// system_error: an Error from errno, with what it means for the user.
//
//   return system_error("cannot write 'out.jsonl'", ENOSPC);
//   // io ENOSPC: cannot write 'out.jsonl': No space left on device; free some space on that disk
#pragma once

#include "connectors/sdk/error.hpp"

#include <string>
#include <string_view>

namespace millrace::sdk {

/// Kind `io`, `code` the name of `number` ("ENOENT"). Retryable where the world may change by
/// itself (a full disk, too many open files), not where somebody must act (permissions, a
/// directory).
/// @param hint what to do about it; where empty, the common advice for `number`.
Error system_error(std::string_view what, int number, std::string hint = {});

}  // namespace millrace::sdk
