#include "connectors/http/source.hpp"

#include "connectors/http/endpoint.hpp"
#include "connectors/sdk/reactor.hpp"

#include <atomic>
#include <utility>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;

constexpr auto write_patience = 2s;  // at the end, for clients that read slowly

}  // namespace

HttpSource::~HttpSource() {
  endpoint_->retire(port_);
  port_->detach();
}

sdk::Status HttpSource::start(const sdk::SourceContext& context) {
  reactor_ = context.reactor;
  port_->attach(context);
  auto joined = endpoint_->join(port_, *context.reactor, *context.log);
  if (!joined) {
    port_->detach();
  } else {
    auto methods = sdk::Value::array();
    for (const auto& method : port_->config().methods)
      methods.push_back(sdk::Value{method});
    context.log->info("http route opened", {{"pipeline", sdk::Value{context.pipeline}},
                                            {"methods", std::move(methods)},
                                            {"path", sdk::Value{port_->config().path}}});
  }
  return joined;
}

void HttpSource::answer(const sdk::Lane& lane, std::uint64_t position, sdk::Outcome outcome,
                        const sdk::Value& answer) {
  port_->conclude(lane, position, outcome, answer);
}

void HttpSource::finish(std::function<void()> done) {
  auto once = [called = std::make_shared<std::atomic<bool>>(false), done = std::move(done)] {
    if (!called->exchange(true))
      done();
  };
  reactor_->loop().after(write_patience, once);
  port_->when_written(std::move(once));
}

void HttpSource::stop() {
  endpoint_->retire(port_);
  port_->stop();
}

}  // namespace millrace::http
