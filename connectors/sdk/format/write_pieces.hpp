// write_pieces: all of several texts to a descriptor, or the reason why not all.
#pragma once

#include "connectors/sdk/descriptor.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::sdk {

struct BytesWritten {
  std::uint64_t bytes = 0;  // that are there, even where it failed
  int error = 0;            // errno; 0: all are there
};

/// Waits until all is written. SIGPIPE and SIGXFSZ must be blocked in the calling thread
/// (`start_thread` sees to it).
/// @param abort ends the wait for a reader of a non-blocking pipe, with ECANCELED.
BytesWritten write_pieces(int fd, std::span<const std::string_view> pieces, const WakeUp& abort);

}  // namespace millrace::sdk
