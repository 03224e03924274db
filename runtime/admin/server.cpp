#include "runtime/admin/server.hpp"

#include "connectors/http/endpoint.hpp"
#include "connectors/http/port.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/worker.hpp"

#include <atomic>
#include <utility>
#include <vector>

namespace millrace::runtime {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_connections = 64;
constexpr std::size_t most_requests = 32;  // of one route
constexpr auto request_timeout = 60s;

std::string text_member(const sdk::Value& object, std::string_view name) {
  const auto* found = object.find(name);
  return found && found->is_string() ? std::string{found->as_string()} : std::string{};
}

http::Response to_response(AdminAnswer answer) {
  http::Response response{.status = answer.status};
  if (answer.type.empty()) {
    response.headers.emplace_back("content-type", "application/json");
    response.body = sdk::to_json(answer.body) + "\n";
  } else {
    response.headers.emplace_back("content-type", std::move(answer.type));
    response.body = std::move(answer.text);
  }
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

std::string host_of(std::string_view header) {
  if (header.starts_with('['))
    return std::string{header.substr(1, header.find(']') - 1)};
  return std::string{header.substr(0, header.find(':'))};
}

/// Pages of other sites can reach a loopback address by the user's browser: by their own scripts
/// (which send Origin), or by a name of theirs that means 127.0.0.1.
bool comes_from_elsewhere(const sdk::Value& headers) {
  if (headers.find("origin"))
    return true;
  const auto host = host_of(text_member(headers, "host"));
  const auto address = parse_admin_address("[" + host + "]:1");
  return !host.empty() && !(address && address->is_loopback);
}

/// What becomes of one route's requests.
class Route final : public sdk::SourceEvents, public std::enable_shared_from_this<Route> {
public:
  Route(http::PortPtr port, AdminHandler handler, sdk::Worker& worker, bool has_token)
    : port_{std::move(port)},
      handler_{std::move(handler)},
      worker_{worker},
      has_token_{has_token} {}

  const http::PortPtr& port() const noexcept { return port_; }

  // Under the port's lock: the work is done elsewhere.
  void emit(sdk::Intake intake) override {
    auto& record = intake.records.front();
    worker_.post([self = shared_from_this(), payload = record.get(0), position = record.position,
                  exchange = std::static_pointer_cast<http::Exchange>(intake.lane)] {
      self->handle(payload, position, exchange);
    });
  }

  void end() override {}

  void fail(sdk::Error /*error*/) override {}

  bool has_credit() const noexcept override { return true; }

  bool wait_for_credit() override { return true; }

  void when_credit(std::function<void()> resume) override { resume(); }

private:
  void handle(const sdk::Value& payload, std::uint64_t position,
              const std::shared_ptr<http::Exchange>& exchange) {
    // Holds the port for as long as somebody may answer, not this: it would hold itself.
    const AdminReply reply =
      [port = port_, position, exchange,
       told = std::make_shared<std::atomic<bool>>(false)](AdminAnswer answer) {
        if (told->exchange(true))
          return;
        exchange->offer(exchange->attempt(), to_response(std::move(answer)));
        port->conclude(*exchange, position, sdk::Outcome::delivered, {});
      };
    const auto* headers = payload.find("headers");
    if (!has_token_ && headers && comes_from_elsewhere(*headers)) {
      reply(admin_error(403, "the admin API is not for pages of other sites",
                        "ask it by its address; with a token any name will do"));
      return;
    }
    const auto member = [&](std::string_view name) {
      const auto* found = payload.find(name);
      return found ? *found : sdk::Value{};
    };
    handler_({member("params"), member("query"), member("body")}, reply);
  }

  const http::PortPtr port_;
  const AdminHandler handler_;
  sdk::Worker& worker_;
  const bool has_token_;
};

}  // namespace

std::string AdminRequest::param(std::string_view name) const {
  return text_member(params, name);
}

std::string AdminRequest::query_text(std::string_view name) const {
  return text_member(query, name);
}

AdminAnswer admin_error(unsigned status, std::string message, std::string hint) {
  auto body = sdk::Value::object({{"error", sdk::Value{message}}});
  if (!hint.empty())
    body.set("hint", sdk::Value{hint});
  return {.status = status, .body = std::move(body)};
}

struct AdminServer::State {
  AdminOptions options;
  sdk::Reactor& reactor;
  sdk::Log& log;
  std::unique_ptr<sdk::Worker> quick = std::make_unique<sdk::Worker>("admin");
  std::unique_ptr<sdk::Worker> slow = std::make_unique<sdk::Worker>("admin-slow");
  std::vector<std::shared_ptr<Route>> routes{};
  std::unique_ptr<http::Endpoint> endpoint{};
};

AdminServer::AdminServer(AdminOptions options, sdk::Reactor& reactor, sdk::Log& log)
  : state_{std::make_unique<State>(State{std::move(options), reactor, log})} {
}

AdminServer::~AdminServer() {
  close();
}

void AdminServer::route(const std::string& method, const std::string& path, AdminHandler handler,
                        AdminLane lane) {
  auto config = std::make_shared<http::ReceiveConfig>();
  config->path = path;
  config->pattern = *http::parse_path(path);
  config->methods = {method};
  config->timeout = request_timeout;
  config->max_requests = most_requests;
  auto port = std::make_shared<http::Port>(std::move(config));
  state_->routes.push_back(std::make_shared<Route>(
    std::move(port), std::move(handler), lane == AdminLane::quick ? *state_->quick : *state_->slow,
    !state_->options.token.empty()));
}

sdk::Status AdminServer::open() {
  auto& state = *state_;
  const auto& wanted = state.options.address;
  auto address = parse_admin_address(wanted.empty() ? default_admin_address : wanted);
  if (!address)
    return std::move(address).error();
  if (!address->is_loopback && state.options.token.empty())
    return sdk::Error{sdk::ErrorKind::config,
                      "the admin API would be open to everybody who reaches '" + wanted + "'",
                      {.hint = "set admin_token, or listen at 127.0.0.1"}};
  http::HttpServer server;
  server.name = "admin";
  server.host = address->host;
  server.port = address->port;
  server.limits.connections = most_connections;
  if (!state.options.token.empty()) {
    auto& scheme = server.schemes.emplace_back();
    scheme.name = "admin";
    scheme.type = sdk::SchemeType::bearer;
    scheme.token = state.options.token;
  }
  state.endpoint = std::make_unique<http::Endpoint>(server);
  for (const auto& route : state.routes)
    state.endpoint->add(route->port());
  for (const auto& route : state.routes) {
    sdk::SourceContext context;
    context.pipeline = "admin";
    context.name = "admin";
    context.output = 0;
    context.events = route.get();
    context.reactor = &state.reactor;
    context.log = &state.log;
    route->port()->attach(context);
    // In words of its own below: it is no server of the pipelines.
    if (auto joined = state.endpoint->join(route->port(), state.reactor, sdk::silent_log());
        !joined) {
      close();
      return joined;
    }
  }
  const auto where = address->host + ":" + std::to_string(state.endpoint->port());
  state.log.info("admin api listens",
                 {{"address", sdk::Value{where}},
                  {"token", sdk::Value{state.options.token.empty() ? "none" : "asked for"}}});
  return {};
}

void AdminServer::close() {
  auto& state = *state_;
  if (!state.endpoint)
    return;
  for (const auto& route : state.routes) {
    state.endpoint->retire(route->port());
    route->port()->stop();
  }
  state.quick.reset();  // behind what they are at
  state.slow.reset();
  for (const auto& route : state.routes)
    route->port()->detach();
  state.routes.clear();
  state.endpoint.reset();
}

}  // namespace millrace::runtime
