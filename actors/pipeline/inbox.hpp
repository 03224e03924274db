// Inbox: how other threads reach an actor with what is no message: tasks for its turn, with one
// message per burst. Closed with the actor; what it holds then is destroyed.
#pragma once

#include "actors/caf.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace millrace::actors {

class Inbox {
public:
  using Task = std::function<void()>;

  /// Does not keep the actor alive.
  explicit Inbox(const caf::actor& owner) : owner_{caf::actor_cast<caf::weak_actor_ptr>(owner)} {}

  /// Thread-safe. @returns false where the actor is gone; the task is destroyed unrun.
  bool post(Task task);

  /// What was posted, in order; for the owner, when it hears of InboxFilled.
  std::vector<Task> take();

  void close();

private:
  std::mutex mutex_;
  std::vector<Task> tasks_;
  bool closed_ = false;
  const caf::weak_actor_ptr owner_;
};

}  // namespace millrace::actors
