// LoopGate: the way to a loop for threads that may outlive it.
//
//   auto gate = std::make_shared<LoopGate>(loop);
//   start_thread("…", [gate] { gate->post([] { … }); });   // on the loop
//   gate->shut();   // from any thread: nothing is posted any more, the loop may go
#pragma once

#include "connectors/sdk/reactor.hpp"

#include <mutex>
#include <utility>

namespace millrace::sdk {

/// Thread-safe.
class LoopGate {
public:
  explicit LoopGate(EventLoop& loop) : loop_{&loop} {}

  void post(EventLoop::Task task) {
    const std::lock_guard lock{mutex_};
    if (loop_ != nullptr)
      loop_->post(std::move(task));
  }

  void shut() noexcept {
    const std::lock_guard lock{mutex_};
    loop_ = nullptr;
  }

private:
  std::mutex mutex_;
  EventLoop* loop_;
};

}  // namespace millrace::sdk
