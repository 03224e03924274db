#include "connectors/file/outputs.hpp"

#include "connectors/file/paths.hpp"
#include "connectors/sdk/system_error.hpp"

#include <filesystem>
#include <system_error>

namespace millrace::file {

Outputs::~Outputs() {
  abort_.set();
}

sdk::Result<std::shared_ptr<FileTarget>> Outputs::get(std::string_view path) {
  const std::lock_guard lock{mutex_};
  const std::string name{path};
  if (const auto found = entries_.find(name); found != entries_.end()) {
    Entry& entry = found->second;
    if (entry.open) {
      used_.splice(used_.begin(), used_, entry.used);
    } else {
      entry.used = used_.insert(used_.begin(), name);
      entry.open = true;
      close_oldest();
    }
    return entry.target;
  }
  if (config_.create_directories) {
    std::error_code error;
    std::filesystem::create_directories(directory_of(name), error);
    if (error)
      return sdk::system_error("cannot make the directory of "
                                 + sdk::Text{name, config_.path->is_secret()}.shown(),
                               error.value());
  }
  auto target = std::make_shared<FileTarget>(name, config_, log_, abort_);
  // Its csv columns must be known before the first record is serialised; else, opening it now shows
  // mistakes early.
  if (auto opened = target->open(); !opened)
    return opened.error();
  used_.push_front(name);
  entries_.emplace(name, Entry{.target = target, .used = used_.begin()});
  close_oldest();
  return target;
}

void Outputs::close_oldest() {
  while (used_.size() > config_.max_open) {
    const auto oldest = entries_.find(used_.back());
    used_.pop_back();
    oldest->second.open = false;
    writer_.post([target = oldest->second.target] { target->close(); });
    // A file that is only appended to can be found again by its name.
    if (config_.mode == WriteMode::append)
      entries_.erase(oldest);
  }
}

void Outputs::join() {
  const std::lock_guard lock{mutex_};
  ++instances_;
}

void Outputs::leave() {
  const std::lock_guard lock{mutex_};
  --instances_;
}

void Outputs::finish(std::function<void(sdk::Status)> done) {
  bool last = false;
  {
    const std::lock_guard lock{mutex_};
    last = --instances_ == 0;
  }
  writer_.post([this, last, done = std::move(done)] { done(last ? commit_all() : sdk::Status{}); });
}

sdk::Status Outputs::commit_all() {
  std::unordered_map<std::string, Entry> entries;
  {
    const std::lock_guard lock{mutex_};
    entries.swap(entries_);
    used_.clear();
  }
  sdk::Status result;
  for (auto& [path, entry] : entries)
    if (auto committed = entry.target->commit(); !committed && result)
      result = std::move(committed);
  return result;
}

}  // namespace millrace::file
