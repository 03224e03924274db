// RedisStep: a command per record; a record is done when its reply came.
#pragma once

#include "connectors/redis/client.hpp"
#include "connectors/redis/commands.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>
#include <utility>

namespace millrace::redis {

class RedisStep final : public sdk::Step {
public:
  explicit RedisStep(std::shared_ptr<const CommandConfig> config) : config_{std::move(config)} {}

  sdk::Status start(const sdk::StepContext& context) override;
  void process(sdk::Batch batch, sdk::StepDone done) override;

private:
  class Work;

  std::shared_ptr<const CommandConfig> config_;
  sdk::StepContext context_;
  std::shared_ptr<Client> client_;
};

}  // namespace millrace::redis
