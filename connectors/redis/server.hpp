// RedisServer: a server of `protocol: redis`: where it is, who we are there, how long it may take.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/secret.hpp"
#include "connectors/sdk/server.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace millrace::redis {

class Clients;

struct TlsOptions {
  sdk::Text ca;
  sdk::Text certificate;
  sdk::Text key;
  sdk::Secret key_password;
  bool verify = true;
};

struct RedisServer : sdk::Server {
  std::string name;
  std::string host;
  std::uint16_t port = 6379;
  std::string socket;  // path of a Unix socket, instead
  std::uint32_t database = 0;
  std::string username;  // empty: the default user
  sdk::Secret password;  // empty: none is asked for
  std::string client_name = "millrace";
  bool is_tls = false;
  TlsOptions tls;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{5'000};
  std::size_t max_reply = 64UL * 1024 * 1024;
  std::shared_ptr<Clients> clients;  // the connection that all steps share
};

using ServerPtr = std::shared_ptr<const RedisServer>;

/// Connector::server.
sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input);

}  // namespace millrace::redis
