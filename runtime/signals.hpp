// Signals: SIGINT, SIGTERM and SIGHUP as calls on a thread of their own, where anything may be
// done.
//
//   block_signals(Hangup::handled);                           // first, while there is one thread
//   Signals signals{Hangup::handled, {.end = [&](std::string_view name, unsigned times) { … },
//                                     .hang_up = [&] { reload(); }}};
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <thread>

namespace millrace::runtime {

/// Whether SIGHUP is ours, or ends the process as it does by default.
enum class Hangup : std::uint8_t { ends, handled };

/// Blocks them in this thread and in all that it starts.
void block_signals(Hangup hangup) noexcept;

/// Waits for them until it is destroyed.
class Signals {
public:
  struct Handlers {
    /// Called with "SIGINT" or "SIGTERM" and how many came so far, this one included.
    std::function<void(std::string_view name, unsigned times)> end;
    std::function<void()> hang_up{};
  };

  Signals(Hangup hangup, Handlers handlers);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

private:
  void wait_for_signals();

  Handlers handlers_;
  int signals_ = -1;  // signalfd
  int stop_ = -1;     // eventfd
  std::thread thread_;
};

}  // namespace millrace::runtime
