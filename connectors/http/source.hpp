// HttpSource: a route of an HTTP server as the source of a pipeline; every request is a lane.
#pragma once

#include "connectors/http/port.hpp"
#include "connectors/sdk/source.hpp"

#include <functional>
#include <memory>

namespace millrace::http {

class Endpoint;

class HttpSource final : public sdk::Source {
public:
  HttpSource(PortPtr port, std::shared_ptr<Endpoint> endpoint)
    : port_{std::move(port)}, endpoint_{std::move(endpoint)} {}

  HttpSource(const HttpSource&) = delete;
  HttpSource& operator=(const HttpSource&) = delete;
  ~HttpSource() override;

  sdk::Status start(const sdk::SourceContext& context) override;

  bool answers() const noexcept override { return true; }

  void answer(const sdk::Lane& lane, std::uint64_t position, sdk::Outcome outcome,
              const sdk::Value& answer) override;
  void finish(std::function<void()> done) override;
  void stop() override;

private:
  const PortPtr port_;
  const std::shared_ptr<Endpoint> endpoint_;
  sdk::Reactor* reactor_ = nullptr;
};

}  // namespace millrace::http
