// FileSource: reads files one after the other on a thread of its own; with `tail` it then follows
// them. Each file is a lane; positions are byte offsets (of the unpacked bytes where it is gzip).
#pragma once

#include "connectors/file/config.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/source.hpp"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace millrace::file {

class FileSource final : public sdk::Source {
public:
  explicit FileSource(std::shared_ptr<const ReadConfig> config) : config_{std::move(config)} {}

  ~FileSource() override;

  sdk::Status start(const sdk::SourceContext& context) override;
  void stop() override;

private:
  void run();
  sdk::Status check_path();
  bool read_file(const sdk::Text& path);

  std::shared_ptr<const ReadConfig> config_;
  sdk::SourceContext context_;
  std::vector<sdk::Text> paths_;
  sdk::WakeUp stopping_;
  std::thread thread_;
};

/// The lane of the file at `path`.
sdk::LanePtr make_file_lane(const sdk::Text& path);

}  // namespace millrace::file
