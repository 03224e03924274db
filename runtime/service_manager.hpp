// ServiceManager: tells systemd how we are (sd_notify(3), its protocol of datagrams, by our own few
// lines). Without NOTIFY_SOCKET in the environment it says nothing.
//
//   ServiceManager manager{[&] { return engine.responds(1s); }};   // asks for more time until
//   manager.ready();                                               // then gives signs of life
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace millrace::runtime {

/// Thread-safe.
class ServiceManager {
public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  /// @param alive whether the process still works; asked before each sign of life, on a thread of
  /// its own. May block for less than half of WatchdogSec.
  explicit ServiceManager(std::function<bool()> alive);
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  bool is_there() const noexcept { return !address_.empty(); }

  void ready();
  void reloading();  // `ready` ends it
  void stopping();

private:
  void send(std::string_view message) const;
  void run();

  std::string address_;                    // of the socket; empty: nobody listens
  std::chrono::microseconds interval_{0};  // between signs of life; 0: none are wanted
  std::function<bool()> alive_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace millrace::runtime
