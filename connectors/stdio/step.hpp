// StdoutStep: puts records on standard output, as lines or as a table for people.
#pragma once

#include "connectors/sdk/format/batch_writer.hpp"
#include "connectors/sdk/format/record_encoder.hpp"
#include "connectors/sdk/step.hpp"
#include "connectors/stdio/config.hpp"
#include "connectors/stdio/stream_target.hpp"
#include "connectors/stdio/table.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace millrace::stdio {

class StdoutStep final : public sdk::Step {
public:
  /// The first rows of a table wait for others, so many and so long, to find the widths.
  static constexpr std::size_t first_rows = 100;
  static constexpr std::chrono::milliseconds first_wait{250};

  /// @param fd is written and left open.
  explicit StdoutStep(std::shared_ptr<const StdoutConfig> config, int fd = 1);

  ~StdoutStep() override;

  sdk::Status start(const sdk::StepContext& context) override;
  void process(sdk::Batch batch, sdk::StepDone done) override;
  void finish(std::function<void(sdk::Status)> done) override;

private:
  struct Held {
    sdk::Batch batch;
    std::vector<sdk::Value> rows;
    std::vector<sdk::Failure> failures;
    sdk::StepDone done;
  };

  sdk::Result<sdk::Value> value_of(const sdk::Record& record) const;
  void write_lines(sdk::Batch batch, sdk::StepDone done);
  void write_table(sdk::Batch batch, sdk::StepDone done);
  void put_rows(Held held);
  void release_held();

  std::shared_ptr<const StdoutConfig> config_;
  sdk::StepContext context_;
  std::shared_ptr<StreamTarget> target_;
  sdk::RecordEncoder encoder_;
  std::mutex mutex_;  // of what follows
  Table table_;
  std::vector<Held> held_;  // the first rows of a table
  std::size_t held_rows_ = 0;
  bool flowing_ = false;                     // the table has its widths
  sdk::BatchWriter writer_{"stdout-write"};  // last: ends before the rest
};

}  // namespace millrace::stdio
