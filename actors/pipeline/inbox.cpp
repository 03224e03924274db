#include "actors/pipeline/inbox.hpp"

#include "actors/pipeline/protocol.hpp"

namespace millrace::actors {

bool Inbox::post(Task task) {
  {
    const std::lock_guard lock{mutex_};
    if (closed_)
      return false;  // `task` goes with its caller, outside of the lock
    tasks_.push_back(std::move(task));
    if (tasks_.size() > 1)
      return true;  // the message is under way
  }
  if (const auto owner = caf::actor_cast<caf::strong_actor_ptr>(owner_))
    caf::anon_send(caf::actor_cast<caf::actor>(owner), InboxFilled{});
  return true;
}

std::vector<Inbox::Task> Inbox::take() {
  const std::lock_guard lock{mutex_};
  return std::exchange(tasks_, {});
}

void Inbox::close() {
  std::vector<Task> dropped;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    dropped.swap(tasks_);
  }
}

}  // namespace millrace::actors
