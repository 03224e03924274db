#include "connectors/sdk/format/batch_writer.hpp"

#include <algorithm>
#include <utility>

namespace millrace::sdk {
namespace {

constexpr std::size_t kept_buffers = 16;
constexpr std::size_t kept_buffer_bytes = 1024 * 1024;

void fail_rows(std::vector<Failure>& failures, const std::vector<std::uint32_t>& rows,
               std::size_t batch_size, const Error& error) {
  const std::size_t failed_before = failures.size();
  if (!rows.empty()) {
    for (const std::uint32_t row : rows)
      failures.push_back({.index = row, .error = error});
  } else {
    std::size_t next = 0;
    for (std::uint32_t row = 0; row < batch_size; ++row) {
      if (next < failed_before && failures[next].index == row)
        ++next;
      else
        failures.push_back({.index = row, .error = error});
    }
  }
  std::ranges::sort(failures, {}, &Failure::index);
}

}  // namespace

std::size_t whole_pieces(std::span<const WriteTarget::Piece* const> pieces, std::uint64_t bytes) {
  std::size_t count = 0;
  while (count < pieces.size() && pieces[count]->bytes.size() <= bytes)
    bytes -= pieces[count++]->bytes.size();
  return count;
}

std::string BatchWriter::buffer() {
  const std::lock_guard lock{mutex_};
  if (buffers_.empty())
    return {};
  std::string buffer = std::move(buffers_.back());
  buffers_.pop_back();
  return buffer;
}

void BatchWriter::submit(Batch batch, std::vector<Part> parts, std::vector<Failure> failures,
                         StepDone done) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    jobs_.push_back({.batch = std::move(batch),
                     .parts = std::move(parts),
                     .failures = std::move(failures),
                     .done = std::move(done)});
    wake = !std::exchange(draining_, true);
  }
  if (wake)
    worker_.post([this] { drain(); });
}

void BatchWriter::drain() {
  std::vector<Job> jobs;
  {
    const std::lock_guard lock{mutex_};
    jobs.swap(jobs_);
    draining_ = false;
  }
  write_all(jobs);
  recycle(jobs);
  for (Job& job : jobs)
    job.done(std::move(job.batch), std::move(job.failures));
}

void BatchWriter::write_all(std::vector<Job>& jobs) {
  struct Turn {
    Job* job;
    Part* part;
  };

  // Neighbours of one target go out together; targets keep the order of their parts.
  std::vector<Turn> turns;
  for (Job& job : jobs)
    if (!job.batch.stale())
      for (Part& part : job.parts)
        turns.push_back({&job, &part});
  std::ranges::stable_sort(turns, {}, [](const Turn& turn) { return turn.part->target.get(); });
  std::vector<const WriteTarget::Piece*> pieces;
  for (std::size_t first = 0; first < turns.size();) {
    pieces.clear();
    std::size_t last = first;
    WriteTarget& target = *turns[first].part->target;
    for (; last < turns.size() && turns[last].part->target.get() == &target; ++last)
      pieces.push_back(&turns[last].part->piece);
    const PiecesWritten result = target.write(pieces);
    if (result.error)
      for (std::size_t i = first + result.written; i < last; ++i)
        fail_rows(turns[i].job->failures, turns[i].part->rows, turns[i].job->batch.size(),
                  *result.error);
    first = last;
  }
}

void BatchWriter::recycle(std::vector<Job>& jobs) {
  const std::lock_guard lock{mutex_};
  for (Job& job : jobs)
    for (Part& part : job.parts) {
      if (buffers_.size() >= kept_buffers)
        return;
      if (part.piece.bytes.capacity() <= kept_buffer_bytes) {
        part.piece.bytes.clear();
        buffers_.push_back(std::move(part.piece.bytes));
      }
    }
}

}  // namespace millrace::sdk
