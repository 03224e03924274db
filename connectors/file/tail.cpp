#include "connectors/file/tail.hpp"

#include "connectors/file/paths.hpp"
#include "connectors/file/source.hpp"
#include "connectors/sdk/system_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace millrace::file {
namespace {

constexpr std::uint32_t watched_events = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM
                                         | IN_DELETE | IN_ATTRIB | IN_CLOSE_WRITE;

// Files that were renamed out of the pattern and may still be written by somebody who has not
// noticed yet; older ones are let go.
constexpr std::size_t most_renamed = 16;

}  // namespace

std::unique_ptr<Tail> Tail::make(const ReadConfig& config, const sdk::SourceContext& context,
                                 const sdk::WakeUp& stopping) {
  return std::unique_ptr<Tail>{new Tail{config, context, stopping}};
}

sdk::Status Tail::watch() {
  inotify_ = sdk::Descriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  if (!inotify_)
    return sdk::system_error("cannot follow files", errno,
                             "raise fs.inotify.max_user_instances (sysctl)");
  const std::string directory = directory_of(config_.path.reveal());
  if (directory.find_first_of("*?[") == std::string::npos) {
    if (::inotify_add_watch(inotify_.get(), directory.c_str(), watched_events) < 0)
      return sdk::system_error(
        "cannot follow the files in " + config_.path.derived(directory).shown(), errno);
    directories_.insert(directory);
  }
  // What is there now is what 'from' means; whatever cannot be opened is reported by `run`.
  look();
  starting_ = false;
  return {};
}

void Tail::run() {
  do {
    if (!look() || !read_all() || !let_go())
      return;
  } while (wait());
}

bool Tail::look() {
  auto paths = matching_files(config_.path);
  if (!paths) {
    context_.log->warn("files could not be listed", {{"reason", paths.error().message()}});
    return true;
  }
  add_directories(*paths);
  for (Followed& followed : files_)
    followed.seen = false;
  return std::ranges::all_of(*paths, [this](const sdk::Text& path) { return look_at(path); });
}

bool Tail::look_at(const sdk::Text& path) {
  struct stat status {};

  if (::stat(path.reveal().c_str(), &status) != 0) {
    refused_.erase(path.reveal());
    return true;  // not there yet, or not any more
  }
  const FileIdentity identity{.device = status.st_dev, .inode = status.st_ino};
  const auto known = std::ranges::find_if(
    files_, [&](const Followed& followed) { return followed.file.identity() == identity; });
  if (known != files_.end()) {
    known->seen = true;
    return true;
  }
  auto file = InputFile::open(path, config_.compression, stopping_);
  if (!file) {
    if (starting_ || !refused_.insert(path.reveal()).second)
      return true;
    return make_reader(path, 0)->fail(file.error());
  }
  refused_.erase(path.reveal());
  return follow(path, std::move(*file));
}

bool Tail::follow(const sdk::Text& path, InputFile file) {
  std::uint64_t offset = 0;

  struct stat status {};

  if (starting_ && config_.from_end && file.is_regular() && !file.is_gzip()
      && ::fstat(file.descriptor(), &status) == 0) {
    if (auto start = last_line_start(file.descriptor(), static_cast<std::uint64_t>(status.st_size)))
      offset = *start;
    file.seek(offset);
  }
  auto reader = make_reader(path, offset);
  files_.push_back(
    {.path = path, .file = std::move(file), .reader = std::move(reader), .begun = ++begun_});
  return true;
}

bool Tail::read_all() {
  return std::ranges::all_of(files_, [this](Followed& followed) { return read_on(followed); });
}

bool Tail::read_on(Followed& followed) {
  while (!followed.done) {
    if (stopping_.is_set())
      return false;
    if (followed.file.was_truncated()) {
      context_.log->warn("a followed file was truncated; it is read from its start again",
                         {{"path", followed.path.name()}});
      if (!followed.reader->finish())
        return false;
      followed.file.seek(0);
      followed.reader = make_reader(followed.path, 0);
    }
    const auto count = followed.file.read(followed.reader->room());
    if (!count) {
      followed.done = true;
      return followed.reader->fail(count.error());
    }
    if (*count == 0) {
      // What is packed does not grow, and what is no file on a disk has ended.
      if (followed.file.is_regular() && !followed.file.is_gzip())
        return true;
      followed.done = true;
      const auto end = followed.file.check_end();
      return end ? followed.reader->finish() : followed.reader->fail(end.error());
    }
    if (!followed.reader->filled(*count))
      return false;
    followed.done = followed.reader->unusable();
  }
  return true;
}

bool Tail::let_go() {
  std::vector<Followed*> renamed;
  for (Followed& followed : files_)
    if (!followed.seen && !followed.file.was_deleted())
      renamed.push_back(&followed);
  std::ranges::sort(renamed, {}, &Followed::begun);
  for (std::size_t i = 0; i + most_renamed < renamed.size(); ++i)
    if (!read_last(*renamed[i]))
      return false;
  for (Followed& followed : files_)
    if (followed.file.was_deleted() && !read_last(followed))
      return false;
  std::erase_if(files_, [](const Followed& followed) { return followed.done && !followed.seen; });
  return true;
}

// Something may have been written since it was read, just before it was deleted.
bool Tail::read_last(Followed& followed) {
  if (!read_on(followed))
    return false;
  return std::exchange(followed.done, true) || followed.reader->finish();
}

void Tail::add_directories(const std::vector<sdk::Text>& files) {
  for (const sdk::Text& file : files) {
    const std::string directory = directory_of(file.reveal());
    if (!directories_.contains(directory)
        && ::inotify_add_watch(inotify_.get(), directory.c_str(), watched_events) >= 0)
      directories_.insert(directory);
  }
}

bool Tail::wait() {
  if (!sdk::wait_for(inotify_.get(), POLLIN, stopping_))
    return false;
  alignas(inotify_event) std::array<char, 16 * 1024> events;
  while (::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
  return !stopping_.is_set();
}

std::unique_ptr<sdk::LaneReader> Tail::make_reader(const sdk::Text& path,
                                                   std::uint64_t offset) const {
  return std::make_unique<sdk::LaneReader>(config_.format, context_, make_file_lane(path), offset);
}

}  // namespace millrace::file
