#include "runtime/file_watch.hpp"

#include "connectors/sdk/system_error.hpp"
#include "connectors/sdk/worker.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utility>

namespace millrace::runtime {

namespace {

namespace fs = std::filesystem;

constexpr int quiet_ms = 100;  // a burst is over when nothing came for so long

}  // namespace

sdk::Result<std::unique_ptr<FileWatch>> FileWatch::open(const std::vector<std::string>& paths,
                                                        std::function<void()> changed) {
  std::unique_ptr<FileWatch> watch{new FileWatch};
  watch->changed_ = std::move(changed);
  watch->events_ = sdk::Descriptor{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  watch->stop_ = sdk::Descriptor{::eventfd(0, EFD_CLOEXEC)};
  for (const auto& path : paths) {
    std::error_code ignored;
    fs::path folder{path};
    if (!fs::is_directory(folder, ignored)) {
      watch->names_.insert(folder.filename().string());
      folder = folder.has_parent_path() ? folder.parent_path() : fs::path{"."};
    }
    // Editors write beside a file and rename; so does Kubernetes with the folder `..data`.
    if (::inotify_add_watch(watch->events_.get(), folder.c_str(),
                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
        < 0)
      return sdk::system_error("cannot watch '" + folder.string() + "'", errno);
  }
  watch->thread_ = sdk::start_thread("file-watch", [self = watch.get()] { self->run(); });
  return watch;
}

FileWatch::~FileWatch() {
  if (!thread_.joinable())
    return;
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_.get(), &one, sizeof one));
  thread_.join();
}

void FileWatch::run() {
  bool pending = false;
  std::array<pollfd, 2> waiting{{{events_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  for (;;) {
    const int got = ::poll(waiting.data(), waiting.size(), pending ? quiet_ms : -1);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 || waiting[1].revents != 0)
      return;
    if (got > 0)
      pending = read_events() || pending;
    else if (std::exchange(pending, false))
      changed_();
  }
}

bool FileWatch::counts(std::string_view name) const {
  const auto ends = [name](std::string_view end) { return name.ends_with(end); };
  return names_.contains(name) || ends(".yaml") || ends(".yml") || ends(".sql") || name == "..data";
}

// @returns whether one of them matters: pipelines may write into the same folder.
bool FileWatch::read_events() {
  alignas(inotify_event) std::array<char, 4096> buffer{};
  bool found = false;
  for (;;) {
    const auto length = ::read(events_.get(), buffer.data(), buffer.size());
    if (length <= 0)
      return found;
    for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      found = found || (event->mask & IN_Q_OVERFLOW) != 0
              || (event->len > 0 && counts(static_cast<const char*>(event->name)));
      at += sizeof(inotify_event) + event->len;
    }
  }
}

}  // namespace millrace::runtime
