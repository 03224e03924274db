#include "connectors/http/site.hpp"

#include "connectors/http/endpoint.hpp"
#include "connectors/http/listener.hpp"
#include "connectors/http/port.hpp"
#include "connectors/sdk/immortal.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::http {
namespace {

/// The sites of this process.
struct Sites {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Site>> all;
};

Sites& sites() {
  static sdk::Immortal<Sites> all;
  return *all;
}

/// What it needs to listen and to judge requests; not what it is reached by.
HttpServer settings_of(const HttpServer& server) {
  auto copy = server;
  copy.endpoint.reset();  // it would hold itself
  copy.clients.reset();
  return copy;
}

}  // namespace

Site::Site(const HttpServer& server)
  : server_{settings_of(server)}, traffic_{std::make_shared<Traffic>(server)} {
}

Site::~Site() = default;

std::shared_ptr<Site> Site::of(const HttpServer& server) {
  if (server.port == 0)
    return std::make_shared<Site>(server);
  // Of another name it is another server, whose guard is another: two cannot share an address.
  const auto key = server.name + "|" + server.host + "|" + std::to_string(server.port);
  const std::lock_guard lock{sites().mutex};
  auto& known = sites().all[key];
  auto site = known.lock();
  if (!site) {
    std::erase_if(sites().all,
                  [&](const auto& one) { return one.first != key && one.second.expired(); });
    site = std::make_shared<Site>(server);
    sites().all[key] = site;
  }
  return site;
}

void Site::enter(std::uint64_t owner, const HttpServer& server, const std::vector<PortPtr>& ports) {
  const std::lock_guard lock{mutex_};
  if (owner > newest_) {
    newest_ = owner;
    server_ = settings_of(server);
    traffic_->renew(server);
    // Certificates are read anew. Where they cannot be, connections go on under those of before.
    if (listener_ && !server.is_tls) {
      listener_->set_tls(nullptr);
    } else if (listener_) {
      if (auto tls = TlsContext::make(server.tls))
        listener_->set_tls(std::move(*tls));
    }
  }
  for (const auto& port : ports)
    ports_.emplace(port, Entry{owner, false});
  publish();
}

void Site::leave(std::uint64_t owner) {
  const std::lock_guard lock{mutex_};
  std::erase_if(ports_, [owner](const auto& one) { return one.second.owner == owner; });
  publish();
}

// Made anew as a whole: connections read the one that they were given. Later ones win.
void Site::publish() {
  std::vector<std::pair<std::uint64_t, PortPtr>> shown;
  for (const auto& [port, entry] : ports_) {
    if (entry.joined)
      shown.emplace_back(entry.owner + 1, port);
    else if (entry.owner == newest_)
      shown.emplace_back(0, port);  // answered 503, where nobody else has the route
  }
  std::ranges::stable_sort(shown, {}, [](const auto& one) { return one.first; });
  RouteTable table;
  for (const auto& [order, port] : shown) {
    for (const auto& method : port->config().methods)
      table.add(port->config().pattern, method, port);
  }
  traffic_->set_routes(std::make_shared<const RouteTable>(std::move(table)));
}

sdk::Status Site::join(const PortPtr& port, sdk::Reactor& reactor, sdk::Log& log) {
  const std::lock_guard lock{mutex_};
  if (!listener_) {
    if (auto listening = listen(reactor, log); !listening)
      return listening;
  }
  ports_[port].joined = true;
  publish();
  return {};
}

sdk::Status Site::listen(sdk::Reactor& reactor, sdk::Log& log) {
  traffic_->set_draining(false);
  std::shared_ptr<TlsContext> tls;
  if (server_.is_tls) {
    auto made = TlsContext::make(server_.tls);
    if (!made)
      return std::move(made).error();
    tls = std::move(*made);
  }
  auto opened = Listener::open(traffic_, server_.host, server_.port, std::move(tls), reactor, log);
  const bool secret = server_.url.is_secret();
  if (!opened)
    return secret ? opened.error().masked() : opened.error();
  listener_ = std::move(*opened);
  log.info("http server listens", {{"server", sdk::Value{server_.name}},
                                   {"address", sdk::Value{secret ? "<secret>" : server_.host}},
                                   {"port", sdk::Value{listener_->port()}}});
  return {};
}

void Site::retire(const PortPtr& port) {
  const std::lock_guard lock{mutex_};
  const auto found = ports_.find(port);
  if (found == ports_.end())
    return;
  found->second.joined = false;
  publish();
  if (std::ranges::none_of(ports_, [](const auto& one) { return one.second.joined; }))
    stop_listening();
}

void Site::stop_listening() {
  traffic_->set_draining(true);
  if (listener_)
    listener_->drain();
  listener_.reset();
  traffic_->stop_worker();
}

std::uint16_t Site::port() const {
  const std::lock_guard lock{mutex_};
  return listener_ ? listener_->port() : 0;
}

}  // namespace millrace::http
