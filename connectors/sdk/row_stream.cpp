#include "connectors/sdk/row_stream.hpp"

#include <utility>

namespace millrace::sdk {

RowStream::RowStream(Sizes sizes, std::function<void(std::unique_ptr<RawResult>)> on_rows)
  : sizes_{sizes}, on_rows_{std::move(on_rows)} {
}

void RowStream::taken() {
  std::function<void()> resume;
  {
    const std::lock_guard lock{mutex_};
    --waiting_;
    if (room())
      resume = std::exchange(resume_, nullptr);
  }
  changed_.notify_all();
  if (resume)
    resume();
}

void RowStream::cancel() {
  std::function<void()> resume;
  std::function<void()> stop;
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(cancelled_, true))
      return;
    resume = std::exchange(resume_, nullptr);
    stop = std::exchange(stop_, nullptr);
  }
  changed_.notify_all();
  if (stop)
    stop();
  if (resume)
    resume();
}

void RowStream::push(std::unique_ptr<RawResult> rows) {
  {
    const std::lock_guard lock{mutex_};
    if (cancelled_)
      return;
    ++waiting_;
  }
  on_rows_(std::move(rows));
}

bool RowStream::has_room() const {
  const std::lock_guard lock{mutex_};
  return room();
}

void RowStream::when_room(std::function<void()> resume) {
  {
    const std::lock_guard lock{mutex_};
    if (!room()) {
      resume_ = std::move(resume);
      return;
    }
  }
  resume();
}

bool RowStream::wait_for_room() {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return room(); });
  return !cancelled_;
}

bool RowStream::cancelled() const {
  const std::lock_guard lock{mutex_};
  return cancelled_;
}

void RowStream::when_cancelled(std::function<void()> stop) {
  {
    const std::lock_guard lock{mutex_};
    if (!cancelled_) {
      stop_ = std::move(stop);
      return;
    }
  }
  stop();
}

}  // namespace millrace::sdk
