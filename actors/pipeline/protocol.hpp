// What the actors of a pipeline say to each other. Never leaves the process.
#pragma once

#include "actors/caf.hpp"
#include "actors/pipeline/source_core.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/source.hpp"

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

namespace millrace::actors {

// --- along the pipeline

/// A batch in a message: moved from actor to actor, never copied. CAF asks for a copy constructor;
/// it would run only for a message with two receivers, and we send none.
struct Parcel {
  explicit Parcel(sdk::Batch content) : batch{std::move(content)} {}

  Parcel(Parcel&&) noexcept = default;
  Parcel& operator=(Parcel&&) noexcept = default;

  [[noreturn]] Parcel(const Parcel& /*other*/) { std::abort(); }

  Parcel& operator=(const Parcel&) = delete;
  ~Parcel() = default;

  sdk::Batch batch;
};

/// Records for the next step.
struct Delivery {
  Parcel parcel;
  std::uint32_t counted = 0;  // not 0: answer with Room of this generation
};

/// Records from the end of nested steps, for the step that they are nested in.
struct Returned {
  Parcel parcel;
  std::uint32_t branch = 0;
};

/// Behind the last batch for now: what gathers puts out what it has.
struct Flush {};

/// Counted records have left the next step.
struct Room {
  std::size_t records = 0;
  std::uint32_t generation = 0;
};

/// The next step was made anew: forget what was counted.
struct ResetRoom {};

/// Something waits in the actor's inbox.
struct InboxFilled {};

/// Something waits in the source's hub.
struct SourceNews {};

/// A timer of the actor's own is due.
struct TimerDue {};

// --- pipeline to step

struct Finish {};

struct Ping {
  std::uint64_t round = 0;
};

// --- step to pipeline; `child` and `epoch` say which life of which replica

struct StepStarted {
  std::size_t child = 0;
  std::uint64_t epoch = 0;
  std::optional<sdk::Error> error;
};

struct Pong {
  std::size_t child = 0;
  std::uint64_t epoch = 0;
  std::uint64_t round = 0;
};

struct StepFinished {
  std::size_t child = 0;
  std::uint64_t epoch = 0;
  std::optional<sdk::Error> error;
};

// --- source to pipeline

/// Records were lost: answer with Whole once every step lives.
struct AskWhole {
  std::uint64_t question = 0;
};

/// It is known which record the last deaths came from: they do not count as the step's.
struct Convicted {};

/// A record failed, and the pipeline stops there.
struct RecordFailed {
  sdk::FailureNotePtr failure;
};

/// The source cannot go on.
struct SourceFailed {
  sdk::Error error;
};

/// The input has ended and everything has settled.
struct SourceDrained {};

// --- pipeline to source

struct Whole {
  std::uint64_t question = 0;
  Recovery recovery;
};

struct StopSource {};

struct RestartSource {};

// --- pipeline to itself

/// The source's actor died; it is time for another.
struct RespawnSource {};

struct RestartChild {
  std::size_t child = 0;
  std::uint64_t epoch = 0;
};

struct GiveUp {};

// --- engine to pipeline

/// The source takes in nothing, or goes on.
struct PausePipeline {
  bool paused = false;
};

/// Records beside those of the source.
struct InjectRecord {
  std::shared_ptr<sdk::Intake> intake;
};

struct StopPipeline {
  std::chrono::milliseconds deadline{0};
};

}  // namespace millrace::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Delivery)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Returned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Flush)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Room)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::ResetRoom)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::InboxFilled)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::SourceNews)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::TimerDue)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Finish)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Ping)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::StepStarted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Pong)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::StepFinished)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::AskWhole)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Convicted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::RecordFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::SourceFailed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::SourceDrained)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::Whole)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::StopSource)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::RestartSource)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::RespawnSource)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::RestartChild)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::GiveUp)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::StopPipeline)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::PausePipeline)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::InjectRecord)
