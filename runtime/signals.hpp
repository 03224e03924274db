// Signals: SIGINT and SIGTERM as calls on a thread of their own, where anything may be done.
//
//   block_signals();                                          // first, while there is one thread
//   Signals signals{[&](std::string_view name, unsigned times) { times == 1 ? drain() : give_up();
//   }};
#pragma once

#include <functional>
#include <string_view>
#include <thread>

namespace millrace::runtime {

/// Blocks SIGINT and SIGTERM in this thread and in all that it starts.
void block_signals() noexcept;

/// Waits for them until it is destroyed.
class Signals {
public:
  /// Called with "SIGINT" or "SIGTERM" and how many came so far, this one included.
  using Handler = std::function<void(std::string_view name, unsigned times)>;

  explicit Signals(Handler handler);
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

private:
  void wait_for_signals();

  Handler handler_;
  int signals_ = -1;  // signalfd
  int stop_ = -1;     // eventfd
  std::thread thread_;
};

}  // namespace millrace::runtime
