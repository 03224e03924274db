// StdinSource: reads the records of a pipe or terminal on a thread of its own, as they come. One
// lane; positions are byte offsets. What was read cannot be read again: the engine keeps it.
#pragma once

#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/format/format.hpp"
#include "connectors/sdk/source.hpp"

#include <memory>
#include <thread>

namespace millrace::stdio {

class StdinSource final : public sdk::Source {
public:
  /// @param fd is read and left open.
  explicit StdinSource(std::shared_ptr<const sdk::ReadFormat> format, int fd = 0)
    : format_{std::move(format)}, fd_{fd} {}

  ~StdinSource() override;

  sdk::Status start(const sdk::SourceContext& context) override;
  void stop() override;

private:
  void run();

  std::shared_ptr<const sdk::ReadFormat> format_;
  int fd_;
  sdk::SourceContext context_;
  sdk::WakeUp stopping_;
  std::thread thread_;
};

}  // namespace millrace::stdio
