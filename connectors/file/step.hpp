// FileStep: serialises batches and has them written by a thread of its own.
#pragma once

#include "connectors/file/config.hpp"
#include "connectors/file/outputs.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::file {

/// What the instances of one step share; made once per compiled step.
struct SharedWrite {
  WriteConfig config;
  std::mutex mutex;
  std::unique_ptr<Outputs> outputs;  // made by the first instance that starts
};

class FileStep final : public sdk::Step {
public:
  explicit FileStep(std::shared_ptr<SharedWrite> shared) : shared_{std::move(shared)} {}

  ~FileStep() override;

  sdk::Status start(const sdk::StepContext& context) override;
  void process(sdk::Batch batch, sdk::StepDone done) override;
  void finish(std::function<void(sdk::Status)> done) override;

private:
  using Parts = std::vector<sdk::BatchWriter::Part>;

  sdk::Status put(const sdk::Record& record, std::uint32_t row, Parts& parts);
  sdk::Result<std::size_t> part_of(const sdk::Record& record, Parts& parts);

  std::shared_ptr<SharedWrite> shared_;
  sdk::StepContext context_;
  std::string fixed_path_;  // where it is the same for all records
  bool has_fixed_path_ = false;
  bool writing_ = false;
};

}  // namespace millrace::file
