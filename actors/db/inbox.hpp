// Inbox: requests on their way to a pool. A burst of them costs its actor one message.
#pragma once

#include "actors/db/request.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace millrace::actors::db {

class Inbox {
public:
  /// @returns whether the pool is to be told. After `close` the request is dropped, and so
  /// answered.
  bool push(RequestPtr request) {
    const std::lock_guard lock{mutex_};
    if (closed_)
      return false;
    requests_.push_back(std::move(request));
    return requests_.size() == 1;
  }

  std::vector<RequestPtr> take() {
    const std::lock_guard lock{mutex_};
    return std::exchange(requests_, {});
  }

  /// The pool is gone.
  void close() {
    std::vector<RequestPtr> left;  // answered without the lock
    {
      const std::lock_guard lock{mutex_};
      closed_ = true;
      left.swap(requests_);
    }
  }

private:
  std::mutex mutex_;
  std::vector<RequestPtr> requests_;
  bool closed_ = false;
};

}  // namespace millrace::actors::db
