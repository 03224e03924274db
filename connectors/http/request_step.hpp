// RequestStep: asks an HTTP server for each record; its output is `{status, headers, body}`.
#pragma once

#include "connectors/http/client/client.hpp"
#include "connectors/http/request_config.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>

namespace millrace::http {

class RequestStep final : public sdk::Step {
public:
  explicit RequestStep(std::shared_ptr<const RequestConfig> config) : config_{std::move(config)} {}

  sdk::Status start(const sdk::StepContext& context) override;
  void process(sdk::Batch batch, sdk::StepDone done) override;

private:
  struct Work;

  sdk::Result<Call> make(const sdk::Record& record, const sdk::Lane& lane) const;

  const std::shared_ptr<const RequestConfig> config_;
  sdk::StepContext context_;
  std::shared_ptr<Client> client_;
};

}  // namespace millrace::http
