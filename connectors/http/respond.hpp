// RespondStep: says what a request is answered. The answer goes out when the record has come to its
// end, so that what fails behind this step is not answered as a success.
#pragma once

#include "connectors/http/config.hpp"
#include "connectors/http/message.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>

namespace millrace::http {

class RespondStep final : public sdk::Step {
public:
  explicit RespondStep(std::shared_ptr<const RespondConfig> config) : config_{std::move(config)} {}

  sdk::Status start(const sdk::StepContext& context) override;
  void process(sdk::Batch batch, sdk::StepDone done) override;

private:
  sdk::Result<Response> make(const sdk::Record& record) const;

  const std::shared_ptr<const RespondConfig> config_;
  sdk::StepContext context_;
};

}  // namespace millrace::http
