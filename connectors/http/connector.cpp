#include "connectors/sdk/connector.hpp"

#include "connectors/http/config.hpp"
#include "connectors/http/endpoint.hpp"
#include "connectors/http/port.hpp"
#include "connectors/http/request_config.hpp"
#include "connectors/http/request_step.hpp"
#include "connectors/http/respond.hpp"
#include "connectors/http/server.hpp"
#include "connectors/http/source.hpp"

#include <array>
#include <memory>
#include <utility>

namespace millrace::http {
namespace {

sdk::SourceFactory make_source(sdk::ConfigReader& in) {
  auto config = std::make_shared<ReceiveConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing() || !config->server)
    return {};
  // One port for all of its sources: requests come to it also while a source is made anew.
  auto endpoint = std::exchange(config->server, nullptr)->endpoint;
  auto port = std::make_shared<Port>(std::move(config));
  endpoint->add(port);
  return [port = std::move(port), endpoint = std::move(endpoint)] {
    return std::make_unique<HttpSource>(port, endpoint);
  };
}

sdk::StepFactory make_respond(sdk::ConfigReader& in) {
  auto config = std::make_shared<RespondConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing())
    return {};
  return [config = std::shared_ptr<const RespondConfig>{std::move(config)}] {
    return std::make_unique<RespondStep>(config);
  };
}

sdk::StepFactory make_request(sdk::ConfigReader& in) {
  auto config = std::make_shared<RequestConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing() || !config->server)
    return {};
  return [config = std::shared_ptr<const RequestConfig>{std::move(config)}] {
    return std::make_unique<RequestStep>(config);
  };
}

constexpr std::array operations{
  sdk::Operation{.name = "receive",
                 .doc = "Takes the requests of a route; each is answered with what becomes of it",
                 .source = &make_source,
                 .answers = true,
                 .guarantee = "a request is answered when its record has come to its end; one that "
                              "was not answered with success must be sent again by its client"},
  sdk::Operation{.name = "respond",
                 .doc = "Says what the request is answered: status, headers, body",
                 .step = &make_respond,
                 .answering = true},
  sdk::Operation{.name = "request",
                 .doc = "Asks a server for each record; the output is {status, headers, body}",
                 .step = &make_request,
                 .has_output = true,
                 .effects = sdk::Effects::external,
                 .guarantee = "a record is done when the server has answered; a record that is "
                              "delivered again is asked for again"},
};

constexpr std::array schemes{sdk::SchemeType::user_password, sdk::SchemeType::bearer,
                             sdk::SchemeType::api_key, sdk::SchemeType::oauth2};

}  // namespace

extern const sdk::Connector connector;
constinit const sdk::Connector connector{
  .name = "http",
  .doc = "HTTP: routes of a server of ours, and requests to others",
  .operations = operations,
  .server = &read_server,
  .schemes = schemes};

}  // namespace millrace::http
