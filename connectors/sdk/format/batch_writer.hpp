// BatchWriter: lets a step write from a thread of its own. The step serialises a batch; whatever
// waits by the time the thread is free is written at once, and the batches come back afterwards.
//
//   std::string bytes = writer.buffer();
//   encoder.append(bytes, value);
//   writer.submit(std::move(batch), {{.target = file, .bytes = std::move(bytes)}}, {},
//   std::move(done));
#pragma once

#include "connectors/sdk/step.hpp"
#include "connectors/sdk/worker.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace millrace::sdk {

/// What became of pieces that were written in order: the first `written` of them are there whole,
/// of the others nothing is, and `error` says why.
struct PiecesWritten {
  std::size_t written = 0;
  std::optional<Error> error;
};

/// Where lines go.
class WriteTarget {
public:
  struct Piece {
    std::string bytes;   // whole lines
    std::string header;  // must stand at the start of the file; mostly empty
  };

  virtual ~WriteTarget() = default;

  /// Called on the writer's thread; may block.
  virtual PiecesWritten write(std::span<const Piece* const> pieces) = 0;
};

/// How many of the pieces are whole among the first `bytes` of them.
std::size_t whole_pieces(std::span<const WriteTarget::Piece* const> pieces, std::uint64_t bytes);

class BatchWriter {
public:
  /// The lines of a batch that go to one target.
  struct Part {
    std::shared_ptr<WriteTarget> target;
    WriteTarget::Piece piece;
    std::vector<std::uint32_t> rows = {};  // of the batch; empty: all that have not failed yet
  };

  explicit BatchWriter(const char* thread_name) : worker_{thread_name} {}

  /// An empty string, with room where one came back.
  std::string buffer();

  /// Writes the parts, then calls `done` on the writer's thread with `failures` and those of
  /// writing. A stale batch is not written. Thread-safe.
  void submit(Batch batch, std::vector<Part> parts, std::vector<Failure> failures, StepDone done);

  /// Runs `task` on the writer's thread, after what was submitted before.
  void post(Worker::Task task) { worker_.post(std::move(task)); }

  /// Runs `task` on the writer's thread once `due` has come, or earlier where the writer ends.
  void post_at(Instant due, Worker::Task task) { worker_.post_at(due, std::move(task)); }

private:
  struct Job {
    Batch batch;
    std::vector<Part> parts;
    std::vector<Failure> failures;
    StepDone done;
  };

  void drain();
  void write_all(std::vector<Job>& jobs);
  void recycle(std::vector<Job>& jobs);

  std::mutex mutex_;
  std::vector<Job> jobs_;
  std::vector<std::string> buffers_;
  bool draining_ = false;
  Worker worker_;  // last: ends before the rest
};

}  // namespace millrace::sdk
