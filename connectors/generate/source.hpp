// GenerateSource: makes records, for trials and benchmarks.
#pragma once

#include "connectors/generate/config.hpp"
#include "connectors/sdk/source.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

namespace millrace::generate {

class GenerateSource final : public sdk::Source {
public:
  explicit GenerateSource(std::shared_ptr<const GenerateConfig> config)
    : config_{std::move(config)} {}

  ~GenerateSource() override;

  sdk::Status start(const sdk::SourceContext& context) override;
  void stop() override;

private:
  void run();
  bool emit(std::uint64_t first, std::uint64_t count, const sdk::LanePtr& lane);
  sdk::Result<sdk::Value> make(std::uint64_t n) const;
  bool wait_until(sdk::Instant due);

  std::shared_ptr<const GenerateConfig> config_;
  sdk::SourceContext context_;
  sdk::Value fixed_;  // the record, where it is the same each time
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::generate
