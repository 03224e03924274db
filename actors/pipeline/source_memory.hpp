// SourceMemory: what outlives the actor of a source: the source itself, what it has taken in and
// not seen settled, and what is still to be done about it. Whoever is the actor works on it, one
// piece after the other, so that the next one goes on where the last one died (docs/decisions,
// 0015).
#pragma once

#include "actors/pipeline/source_core.hpp"
#include "actors/pipeline/source_hub.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/source.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace millrace::actors {

/// Owned by the pipeline's actor. Used by one actor at a time.
struct SourceMemory {
  SourceMemory(std::size_t credit_records, std::size_t credit_bytes)
    : hub{std::make_shared<SourceHub>(credit_records, credit_bytes)} {}

  SourceMemory(const SourceMemory&) = delete;
  SourceMemory& operator=(const SourceMemory&) = delete;

  ~SourceMemory() { close(); }

  /// Ends the source for good.
  void close() noexcept;

  /// Says which records were read and have not settled: they are lost with the pipeline, unless the
  /// source `rereads`.
  void log_unsettled(sdk::Log& log, const std::string& pipeline, bool rereads) const;

  std::shared_ptr<SourceHub> hub;
  std::optional<SourceCore> core;  // none before the first actor
  sdk::SourcePtr source;           // null: it broke, and waits to be made anew
  bool started = false;            // `source`
  SourceHub::News news;            // taken from the hub, not yet dealt with
  SourceCore::Actions actions;     // decided, not yet carried out
  bool ended = false;
  std::optional<sdk::Error> failed;           // for good
  std::uint32_t failures = 0;                 // of the source, in a row
  std::optional<sdk::Instant> failing_since;  // the first of them
  std::uint64_t questions = 0;
  Recovery recovery;  // of answers that came too early
};

}  // namespace millrace::actors
