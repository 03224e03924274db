#include "connectors/http/endpoint.hpp"

#include "connectors/http/port.hpp"
#include "connectors/http/site.hpp"

#include <utility>

namespace millrace::http {
namespace {

std::atomic<std::uint64_t> readings{0};

HttpServer without_links(const HttpServer& server) {
  auto copy = server;
  copy.endpoint.reset();
  copy.clients.reset();
  return copy;
}

}  // namespace

// --- Traffic

Traffic::Traffic(const HttpServer& server) : name_{server.name} {
  renew(server);
}

void Traffic::renew(const HttpServer& server) {
  const std::lock_guard lock{mutex_};
  rules_.push_back(
    std::make_unique<const Rules>(Rules{server.limits, Guard{server.schemes}, server.compression}));
  now_.store(rules_.back().get(), std::memory_order_release);
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

Endpoint::Endpoint(const HttpServer& server) : number_{++readings}, server_{without_links(server)} {
}

Endpoint::~Endpoint() {
  if (site_)
    site_->leave(number_);
}

std::optional<sdk::Place> Endpoint::declare(const std::string& method, const PathPattern& pattern,
                                            const sdk::Place& place) {
  const std::lock_guard lock{mutex_};
  const auto [taken, is_new] = declared_.emplace(method + " " + shape_of(pattern), place);
  return is_new ? std::nullopt : std::optional{taken->second};
}

void Endpoint::add(const PortPtr& port) {
  const std::lock_guard lock{mutex_};
  ports_.push_back(port);
  if (site_)
    site_->enter(number_, server_, {port});
}

sdk::Status Endpoint::join(const PortPtr& port, sdk::Reactor& reactor, sdk::Log& log) {
  const std::lock_guard lock{mutex_};
  if (!site_) {
    site_ = Site::of(server_);
    site_->enter(number_, server_, ports_);
  }
  return site_->join(port, reactor, log);
}

void Endpoint::retire(const PortPtr& port) {
  const std::lock_guard lock{mutex_};
  if (site_)
    site_->retire(port);
}

std::uint16_t Endpoint::port() const {
  const std::lock_guard lock{mutex_};
  return site_ ? site_->port() : 0;
}

}  // namespace millrace::http
