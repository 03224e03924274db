#include "connectors/sdk/worker.hpp"

#include <chrono>
#include <pthread.h>
#include <signal.h>
#include <string>
#include <utility>

namespace millrace::sdk {

std::thread start_thread(const char* name, std::function<void()> run) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // inherited by the new thread
  std::thread thread{std::move(run)};
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_setname_np(thread.native_handle(), std::string{name}.substr(0, 15).c_str());
  return thread;
}

Worker::Worker(const char* name) : thread_{start_thread(name, [this] { run(); })} {
}

Worker::~Worker() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Worker::post(Task task) {
  {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
}

void Worker::post_at(Instant due, Task task) {
  {
    const std::lock_guard lock{mutex_};
    late_.emplace(due, std::move(task));
  }
  changed_.notify_one();
}

void Worker::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    const auto now = std::chrono::steady_clock::now();
    while (!late_.empty() && (stopping_ || late_.begin()->first <= now))
      tasks_.push_back(std::move(late_.extract(late_.begin()).mapped()));
    if (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    } else if (stopping_) {
      return;
    } else if (late_.empty()) {
      changed_.wait(lock);
    } else {
      changed_.wait_until(lock, late_.begin()->first);
    }
  }
}

}  // namespace millrace::sdk
