// HttpServer: a server of `protocol: http`: an address to listen at for `receive`, or to ask for
// `request`, with its limits and credentials.
#pragma once

#include "connectors/http/tls.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/secret.hpp"
#include "connectors/sdk/server.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace millrace::http {

class Clients;
class Endpoint;

/// How long a connection may keep us waiting, and how much it may send before it has said anything.
struct ConnectionLimits {
  std::chrono::milliseconds head{10'000};  // from its first byte to the end of a request's head
  std::chrono::milliseconds body{30'000};
  std::chrono::milliseconds idle{60'000};  // between requests
  std::size_t head_bytes = 16 * 1024;
  std::size_t connections = 10'000;
};

struct HttpServer : sdk::Server {
  std::string name;
  sdk::Text url;
  bool is_tls = false;
  std::string host;  // an address; empty: all of this machine's
  std::uint16_t port = 0;
  std::string base_path;  // in front of every route; without a slash at its end
  ConnectionLimits limits;
  TlsOptions tls;
  std::vector<sdk::SecurityScheme> schemes;
  bool compression = true;
  std::string base_url;  // in front of every path that is asked for
  sdk::Text proxy;
  std::chrono::milliseconds connect_timeout{5'000};
  bool http2 = true;
  std::size_t max_calls = 100;
  std::shared_ptr<Clients> clients;    // who asks; shared by all steps
  std::shared_ptr<Endpoint> endpoint;  // where `receive` listens; shared by all of its pipelines
};

/// Connector::server.
sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input);

}  // namespace millrace::http
