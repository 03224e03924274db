// StepDriver: the engine's side of a step, for tests: hands it batches and waits for them.
//
//   StepDriver driver{make_step("file", "write", {{"path", scalar("out.jsonl")}})};
//   ASSERT_TRUE(driver.start());
//   EXPECT_TRUE(driver.process({"{\"id\":1}"}).empty());      // no failures
//   EXPECT_TRUE(driver.finish());
#pragma once

#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/step.hpp"

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

/// A batch of one lane whose slot 0 holds these JSON texts.
inline sdk::Batch make_batch(const std::vector<std::string>& payloads,
                             sdk::LanePtr lane = std::make_shared<sdk::Lane>("test")) {
  const auto attempt = lane->attempt();
  sdk::Batch batch{std::move(lane), attempt};
  for (const std::string& payload : payloads) {
    sdk::Record record;
    record.set(0, *sdk::parse_json(payload));
    batch.add(std::move(record), {});
  }
  return batch;
}

class StepDriver {
public:
  using Failures = std::vector<sdk::Failure>;

  explicit StepDriver(sdk::StepPtr step) : step_{std::move(step)} {}

  sdk::Status start() {
    sdk::StepContext context;
    context.pipeline = "test";
    context.name = "out";
    context.input = 0;
    context.output = 1;
    context.log = &sdk::silent_log();
    context.clock = &sdk::system_clock();
    return step_->start(context);
  }

  /// Does not wait.
  std::future<Failures> send(sdk::Batch batch) {
    auto done = std::make_shared<std::promise<Failures>>();
    auto result = done->get_future();
    step_->process(std::move(batch),
                   [done](sdk::Batch, Failures failures) { done->set_value(std::move(failures)); });
    return result;
  }

  std::future<Failures> send(const std::vector<std::string>& payloads) {
    return send(make_batch(payloads));
  }

  Failures process(const std::vector<std::string>& payloads) { return send(payloads).get(); }

  sdk::Status finish() {
    auto done = std::make_shared<std::promise<sdk::Status>>();
    auto result = done->get_future();
    step_->finish([done](sdk::Status status) { done->set_value(std::move(status)); });
    return result.get();
  }

  /// Its actor died.
  void destroy() { step_.reset(); }

private:
  sdk::StepPtr step_;
};

}  // namespace millrace::test
