// Threads for blocking I/O: a source's own thread, and Worker, a thread with a queue.
//
//   Worker worker{"file-write"};
//   worker.post([this] { write_what_waits(); });    // in the order posted; the destructor runs the
//   rest
#pragma once

#include "connectors/sdk/clock.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace millrace::sdk {

/// Starts a thread to which no signal is delivered, so that a closed pipe or a file size limit is
/// an error of the call and never the end of the process.
/// @param name shown by top and gdb; at most 15 bytes count.
std::thread start_thread(const char* name, std::function<void()> run);

class Worker {
public:
  using Task = std::function<void()>;

  explicit Worker(const char* name);

  /// Runs what was posted, late tasks too, and waits for it. Not to be called on the thread itself.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Thread-safe; tasks may post.
  void post(Task task);

  /// Runs `task` when `due` has come, or earlier where the worker is destroyed.
  void post_at(Instant due, Task task);

private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  std::multimap<Instant, Task> late_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::sdk
