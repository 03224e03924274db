// KafkaStep: records to messages; a record is done when the brokers have it, as `acks` says.
#pragma once

#include "connectors/kafka/config.hpp"
#include "connectors/kafka/producer.hpp"
#include "connectors/kafka/transactor.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace millrace::kafka {

/// What the replicas of a step share.
struct SharedSend {
  SendConfig config;
  std::mutex mutex;
  std::shared_ptr<Producer> producer;      // made by the first that starts
  std::unique_ptr<Transactor> transactor;  // by the first batch of a TransactionalLane
};

class KafkaStep final : public sdk::Step {
public:
  explicit KafkaStep(std::shared_ptr<SharedSend> shared) : shared_{std::move(shared)} {}

  sdk::Status start(const sdk::StepContext& context) override;
  void process(sdk::Batch batch, sdk::StepDone done) override;

private:
  Transactor& transactor();
  sdk::Result<Outgoing> make(const sdk::Record& record, std::uint32_t index) const;

  std::shared_ptr<SharedSend> shared_;
  sdk::StepContext context_;
  std::shared_ptr<Producer> producer_;
};

}  // namespace millrace::kafka
