#include "connectors/http/endpoint.hpp"

#include "connectors/http/listener.hpp"
#include "connectors/http/port.hpp"

#include <algorithm>
#include <utility>

namespace millrace::http {

// --- Traffic

Traffic::Traffic(const HttpServer& server)
  : name_{server.name},
    limits_{server.limits},
    guard_{server.schemes},
    compression_{server.compression} {
}

std::shared_ptr<const RouteTable> Traffic::routes() const {
  const std::lock_guard lock{mutex_};
  return routes_;
}

void Traffic::set_routes(std::shared_ptr<const RouteTable> routes) {
  const std::lock_guard lock{mutex_};
  routes_ = std::move(routes);
}

void Traffic::post(sdk::Worker::Task task) {
  {
    const std::lock_guard lock{mutex_};
    if (!worker_ && !draining())
      worker_ = std::make_unique<sdk::Worker>("http-decode");
    if (worker_) {
      worker_->post(std::move(task));
      return;
    }
  }
  task();
}

void Traffic::stop_worker() {
  std::unique_ptr<sdk::Worker> worker;
  {
    const std::lock_guard lock{mutex_};
    worker = std::exchange(worker_, nullptr);
  }
}

// --- Endpoint

Endpoint::Endpoint(const HttpServer& server)
  : name_{server.name},
    url_{server.url},
    host_{server.host},
    port_{server.port},
    is_tls_{server.is_tls},
    tls_{server.tls},
    traffic_{std::make_shared<Traffic>(server)} {
}

Endpoint::~Endpoint() = default;

std::optional<sdk::Place> Endpoint::declare(const std::string& method, const PathPattern& pattern,
                                            const sdk::Place& place) {
  const std::lock_guard lock{mutex_};
  const auto [taken, is_new] = declared_.emplace(method + " " + shape_of(pattern), place);
  return is_new ? std::nullopt : std::optional{taken->second};
}

void Endpoint::add(const PortPtr& port) {
  const std::lock_guard lock{mutex_};
  ports_.emplace(port, false);
  // Made anew as a whole: connections read the one that they were given.
  RouteTable table;
  for (const auto& [one, open] : ports_) {
    for (const auto& method : one->config().methods)
      table.add(one->config().pattern, method, one);
  }
  traffic_->set_routes(std::make_shared<const RouteTable>(std::move(table)));
}

sdk::Status Endpoint::join(const PortPtr& port, sdk::Reactor& reactor, sdk::Log& log) {
  const std::lock_guard lock{mutex_};
  if (!listener_) {
    traffic_->set_draining(false);
    std::shared_ptr<TlsContext> tls;
    if (is_tls_) {
      auto made = TlsContext::make(tls_);
      if (!made)
        return std::move(made).error();
      tls = std::move(*made);
    }
    auto opened = Listener::open(traffic_, host_, port_, std::move(tls), reactor, log);
    if (!opened) {
      const auto& error = opened.error();
      return url_.is_secret() ? error.masked() : error;
    }
    listener_ = std::move(*opened);
    log.info("http server listens", {{"server", sdk::Value{name_}},
                                     {"address", sdk::Value{url_.is_secret() ? "<secret>" : host_}},
                                     {"port", sdk::Value{listener_->port()}}});
  }
  ports_[port] = true;
  return {};
}

void Endpoint::retire(const PortPtr& port) {
  const std::lock_guard lock{mutex_};
  if (const auto found = ports_.find(port); found != ports_.end())
    found->second = false;
  if (std::ranges::none_of(ports_, [](const auto& one) { return one.second; }))
    stop_listening();
}

void Endpoint::stop_listening() {
  traffic_->set_draining(true);
  if (listener_)
    listener_->drain();
  listener_.reset();
  traffic_->stop_worker();
}

std::uint16_t Endpoint::port() const {
  const std::lock_guard lock{mutex_};
  return listener_ ? listener_->port() : 0;
}

}  // namespace millrace::http
