#include "connectors/asio/loop.hpp"

#include <boost/asio/post.hpp>
#include <cassert>

namespace millrace::asio {

namespace {

thread_local const Loop* current = nullptr;

}  // namespace

Loop::Loop() : work_{context_.get_executor()}, next_{context_} {
  thread_ = std::thread{[this] {
    current = this;
    context_.run();
  }};
}

Loop::~Loop() {
  stop();
}

void Loop::post(Task task) {
  bool wake = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return;
    // One wake-up for all that is posted until the loop comes round.
    wake = posted_.empty();
    posted_.push_back(std::move(task));
  }
  if (wake)
    boost::asio::post(context_, [this] { run_posted(); });
}

void Loop::run_posted() {
  {
    const std::lock_guard lock{mutex_};
    running_.swap(posted_);
  }
  for (auto& task : running_) {
    task();
    task = nullptr;
  }
  running_.clear();
}

sdk::TimerId Loop::after(std::chrono::nanoseconds delay, Task task) {
  const auto id = ++last_id_;
  const auto due = std::chrono::steady_clock::now()
                   + std::chrono::duration_cast<Moment::duration>(delay);
  auto insert = [this, id, due, task = std::move(task)]() mutable {
    due_.emplace(id, due);
    timers_.emplace(std::pair{due, id}, std::move(task));
    arm();
  };
  if (on_this_thread())
    insert();
  else
    post(std::move(insert));
  return id;
}

void Loop::cancel(sdk::TimerId timer) {
  if (timer == 0)
    return;
  auto remove = [this, timer] {
    const auto found = due_.find(timer);
    if (found == due_.end())
      return;
    timers_.erase({found->second, timer});
    due_.erase(found);
  };
  if (on_this_thread())
    remove();
  else
    post(std::move(remove));
}

void Loop::arm() {
  if (timers_.empty() || timers_.begin()->first.first >= armed_for_)
    return;
  armed_for_ = timers_.begin()->first.first;
  next_.expires_at(armed_for_);
  next_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled)
      run_due();
  });
}

void Loop::run_due() {
  armed_for_ = Moment::max();
  const auto now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    due_.erase(node.key().second);
    node.mapped()();
  }
  arm();
}

bool Loop::on_this_thread() const noexcept {
  return current == this;
}

void Loop::stop() {
  assert(!on_this_thread());
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  context_.stop();
  if (thread_.joinable())
    thread_.join();
  // Tasks own connections; they go before the io_context does, without the lock, since their ends
  // may post.
  std::vector<Task> dropped;
  {
    const std::lock_guard lock{mutex_};
    dropped.swap(posted_);
  }
  dropped.clear();
  timers_.clear();
  due_.clear();
}

}  // namespace millrace::asio
