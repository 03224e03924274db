// StreamTarget: lines to standard output, whoever reads it. Several steps may write: lines never
// mix.
#pragma once

#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/format/batch_writer.hpp"

#include <span>

namespace millrace::stdio {

class StreamTarget : public sdk::WriteTarget {
public:
  /// @param fd stays open.
  explicit StreamTarget(int fd);

  sdk::PiecesWritten write(std::span<const Piece* const> pieces) override;

  /// Stops waiting for a reader that does not read, for good.
  void abort() noexcept { abort_.set(); }

private:
  int fd_;
  sdk::Descriptor own_;  // the same pipe, opened again so that it need not block
  sdk::WakeUp abort_;
  bool begun_ = false;
};

}  // namespace millrace::stdio
