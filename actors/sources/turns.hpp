// Turns: the tasks of one owner, one at a time, on a loop of the reactor. So its parts need no
// locks; what comes after its end is dropped.
//
//   auto turns = std::make_shared<Turns>(reactor.loop());
//   turns->post([this] { … });
//   database.execute(statement, turns->taking([this](ExecuteReply reply) { … }));
//   turns->close();      // in the owner's destructor: nothing runs behind it
#pragma once

#include "connectors/sdk/reactor.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>

namespace millrace::actors {

class Turns : public std::enable_shared_from_this<Turns> {
public:
  using Task = std::function<void()>;

  explicit Turns(sdk::EventLoop& loop) : loop_{loop} {}

  /// From any thread.
  void post(Task task) {
    loop_.post([self = shared_from_this(), task = std::move(task)] { self->run(task); });
  }

  sdk::TimerId after(std::chrono::nanoseconds delay, Task task) {
    return loop_.after(delay,
                       [self = shared_from_this(), task = std::move(task)] { self->run(task); });
  }

  void cancel(sdk::TimerId timer) { loop_.cancel(timer); }

  /// A callback for one argument, to be called on any thread: `then` hears of it in our turn.
  template <class Then>
  auto taking(Then then) {
    return [self = shared_from_this(), then = std::move(then)](auto argument) {
      auto kept = std::make_shared<std::decay_t<decltype(argument)>>(std::move(argument));
      self->post([then, kept] { then(std::move(*kept)); });
    };
  }

  /// Waits for the task that runs; not to be called within one.
  void close() {
    const std::lock_guard lock{mutex_};
    closed_ = true;
  }

private:
  void run(const Task& task) {
    const std::lock_guard lock{mutex_};
    if (!closed_)
      task();
  }

  sdk::EventLoop& loop_;
  std::mutex mutex_;
  bool closed_ = false;
};

}  // namespace millrace::actors
