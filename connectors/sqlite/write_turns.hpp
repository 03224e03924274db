// WriteTurns: who of this process may write to a database file. SQLite gives its one write lock
// without any order, to whoever happens to ask next; here it goes in the order of asking, and who
// waits is woken at once. Other processes are still met at SQLite's own lock.
//
//   auto turns = WriteTurns::of("/var/lib/orders.db");
//   if (turns->wait([&] { return out_of_time(); })) { …; turns->done(); }
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace millrace::sqlite {

class WriteTurns {
public:
  /// Those of a file, shared by all its connections.
  static std::shared_ptr<WriteTurns> of(const std::string& path);

  /// Waits on the calling thread. @returns false where `gives_up`, which is asked every now and
  /// then, said so before the turn came.
  bool wait(const std::function<bool()>& gives_up);

  /// Ends a turn that `wait` gave.
  void done();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::uint64_t> queue_;  // the first one writes
  std::uint64_t last_ = 0;
};

}  // namespace millrace::sqlite
