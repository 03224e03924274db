// Outputs: the files of one write step. They outlive the step's instances: one that is started
// again after a crash goes on with them, and replicas share them.
#pragma once

#include "connectors/file/config.hpp"
#include "connectors/file/target.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/format/batch_writer.hpp"

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace millrace::file {

/// Thread-safe. mode whole: what is not committed is gone when it is destroyed.
class Outputs {
public:
  Outputs(const WriteConfig& config, sdk::Log& log) : config_{config}, log_{log} {}

  /// Waits for what is being written; gives up where a pipe has no reader.
  ~Outputs();
  Outputs(const Outputs&) = delete;
  Outputs& operator=(const Outputs&) = delete;

  /// The file at `path`; at most `max_open` of them keep their descriptor.
  /// @returns kind `io` where it is known that it cannot be written.
  sdk::Result<std::shared_ptr<FileTarget>> get(std::string_view path);

  /// One more instance writes.
  void join();

  /// An instance is gone, without having finished.
  void leave();

  /// All batches of an instance have come back; the last one makes the files final. `done` is
  /// called on the writer's thread.
  void finish(std::function<void(sdk::Status)> done);

  sdk::BatchWriter& writer() noexcept { return writer_; }

private:
  using Used = std::list<std::string>;  // paths, the latest first

  struct Entry {
    std::shared_ptr<FileTarget> target;
    Used::iterator used;
    bool open = true;  // counts among those with a descriptor
  };

  void close_oldest();
  sdk::Status commit_all();

  const WriteConfig& config_;
  sdk::Log& log_;
  sdk::WakeUp abort_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  Used used_;
  std::size_t instances_ = 0;
  sdk::BatchWriter writer_{"file-write"};  // last: ends before the rest
};

}  // namespace millrace::file
