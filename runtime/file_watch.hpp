// FileWatch: hears when pipeline files change on disk (inotify), for `run --watch`.
#pragma once

#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/result.hpp"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace millrace::runtime {

class FileWatch {
public:
  /// Watches the folders of `paths` (files, or folders of them). `changed` is called on a thread of
  /// its own once a burst of changes is over. @returns kind `io` where a folder cannot be watched.
  static sdk::Result<std::unique_ptr<FileWatch>> open(const std::vector<std::string>& paths,
                                                      std::function<void()> changed);

  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

private:
  FileWatch() = default;

  void run();
  bool read_events();
  bool counts(std::string_view name) const;

  std::function<void()> changed_;
  std::set<std::string, std::less<>> names_;  // of files that were named themselves
  sdk::Descriptor events_;
  sdk::Descriptor stop_;
  std::thread thread_;
};

}  // namespace millrace::runtime
