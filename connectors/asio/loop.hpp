// One loop of the reactor: its queue, its timers, its thread.
#pragma once

#include "connectors/sdk/reactor.hpp"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::asio {

class Loop final : public sdk::EventLoop {
public:
  Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() override;

  void post(Task task) override;
  sdk::TimerId after(std::chrono::nanoseconds delay, Task task) override;
  void cancel(sdk::TimerId timer) override;
  bool on_this_thread() const noexcept override;

  boost::asio::io_context& context() noexcept { return context_; }

  /// Ends the thread, drops what was not run.
  void stop();

private:
  using Moment = std::chrono::steady_clock::time_point;

  void run_posted();
  void arm();
  void run_due();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;

  std::mutex mutex_;  // guards what other threads reach:
  std::vector<Task> posted_;
  bool stopped_ = false;

  // Of the loop's thread only: all timers in one ordered map, and one Asio timer for the next of
  // them.
  std::map<std::pair<Moment, sdk::TimerId>, Task> timers_;
  std::unordered_map<sdk::TimerId, Moment> due_;
  boost::asio::steady_timer next_;
  Moment armed_for_ = Moment::max();
  std::vector<Task> running_;

  std::atomic<sdk::TimerId> last_id_{0};
  std::thread thread_;
};

}  // namespace millrace::asio
