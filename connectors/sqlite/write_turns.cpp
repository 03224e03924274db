#include "connectors/sqlite/write_turns.hpp"

#include <chrono>
#include <filesystem>
#include <map>

namespace millrace::sqlite {

namespace {

constexpr std::chrono::milliseconds look_around{10};

}  // namespace

std::shared_ptr<WriteTurns> WriteTurns::of(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<WriteTurns>> known;
  std::error_code unknown;
  const auto name = std::filesystem::weakly_canonical(path, unknown).string();
  const std::lock_guard lock{mutex};
  std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
  auto& entry = known[name.empty() ? path : name];
  auto turns = entry.lock();
  if (!turns) {
    turns = std::make_shared<WriteTurns>();
    entry = turns;
  }
  return turns;
}

bool WriteTurns::wait(const std::function<bool()>& gives_up) {
  std::unique_lock lock{mutex_};
  const auto mine = ++last_;
  queue_.push_back(mine);
  while (queue_.front() != mine) {
    changed_.wait_for(lock, look_around);
    if (queue_.front() != mine && gives_up()) {
      std::erase(queue_, mine);
      return false;
    }
  }
  return true;
}

void WriteTurns::done() {
  {
    const std::lock_guard lock{mutex_};
    queue_.pop_front();
  }
  changed_.notify_all();
}

}  // namespace millrace::sqlite
