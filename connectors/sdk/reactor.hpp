// Reactor: the threads that wait for sockets, descriptors and timers. Injected, never global;
// connectors/asio implements it. What is on one loop stays on its thread, so it needs no locks. No
// task runs longer than 1 ms.
//
//   EventLoop& loop = reactor.loop();                  // one for the life of a connection
//   loop.post([self] { self->connect(); });
//   TimerId timer = loop.after(5s, [self] { self->give_up(); });
//   loop.cancel(timer);
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace millrace::sdk {

/// Names a timer of one loop; 0 names none.
using TimerId = std::uint64_t;

/// One thread. All methods are thread-safe. After the reactor has stopped, tasks are dropped unrun.
class EventLoop {
public:
  using Task = std::function<void()>;

  virtual ~EventLoop() = default;

  /// Runs `task` on the loop's thread, after what was posted before. A burst costs one wake-up.
  /// Tasks do not throw.
  virtual void post(Task task) = 0;

  /// Runs `task` on the loop's thread once `delay` has passed.
  virtual TimerId after(std::chrono::nanoseconds delay, Task task) = 0;

  /// The task will not start any more when this is called on the loop's thread; elsewhere it may
  /// just be running. An unknown or finished timer is no mistake.
  virtual void cancel(TimerId timer) = 0;

  virtual bool on_this_thread() const noexcept = 0;
};

class Reactor {
public:
  virtual ~Reactor() = default;

  /// A loop, each of them in turn. Lives as long as the reactor.
  virtual EventLoop& loop() = 0;

  virtual std::size_t loop_count() const noexcept = 0;

  /// Ends the threads and waits for them; not to be called on one of them. May be called twice.
  virtual void stop() = 0;
};

}  // namespace millrace::sdk
