// Tail: follows files as they grow. A file is known by its inode, so one that was renamed is read
// to its end and is not read again under its new name.
#pragma once

#include "connectors/file/config.hpp"
#include "connectors/file/input_file.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/format/lane_reader.hpp"
#include "connectors/sdk/source.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace millrace::file {

/// Runs on the source's thread. Waits for the kernel's word (inotify), never by looking again and
/// again.
class Tail {
public:
  /// All references must outlive it.
  static std::unique_ptr<Tail> make(const ReadConfig& config, const sdk::SourceContext& context,
                                    const sdk::WakeUp& stopping);

  /// Begins to watch the directories and opens what is there; to be called before `run`.
  sdk::Status watch();

  /// Reads until it is told to stop.
  void run();

private:
  struct Followed {
    sdk::Text path;
    InputFile file;
    std::unique_ptr<sdk::LaneReader> reader;
    std::uint64_t begun = 0;  // rises with each file: the oldest of those that left goes first
    bool seen = true;         // it matched at the last look
    bool done = false;        // nothing more will be read of it
  };

  Tail(const ReadConfig& config, const sdk::SourceContext& context, const sdk::WakeUp& stopping)
    : config_{config}, context_{context}, stopping_{stopping} {}

  bool look();
  bool look_at(const sdk::Text& path);
  bool follow(const sdk::Text& path, InputFile file);
  bool read_all();
  bool read_on(Followed& followed);
  bool read_last(Followed& followed);
  bool let_go();
  void add_directories(const std::vector<sdk::Text>& files);
  bool wait();
  std::unique_ptr<sdk::LaneReader> make_reader(const sdk::Text& path, std::uint64_t offset) const;

  const ReadConfig& config_;
  const sdk::SourceContext& context_;
  const sdk::WakeUp& stopping_;
  sdk::Descriptor inotify_;
  std::set<std::string> directories_;
  std::set<std::string> refused_;  // paths that could not be opened and were reported
  std::vector<Followed> files_;
  std::uint64_t begun_ = 0;
  bool starting_ = true;
};

}  // namespace millrace::file
