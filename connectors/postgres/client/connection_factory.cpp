#include "connectors/postgres/client/connection_factory.hpp"

#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/reactor.hpp"

#include <utility>

namespace millrace::postgres {

sdk::Result<ConnectionFactory>
build_connection_factory(std::string_view url, std::chrono::milliseconds timeout, sdk::Log& log) {
  ConnectionConfig config;
  config.name = "connection";
  config.url = url;
  config.connect_timeout = timeout;
  return build_connection_factory(config, log);
}

sdk::Result<ConnectionFactory> build_connection_factory(const ConnectionConfig& config,
                                                        sdk::Log& log) {
  auto single = config;
  single.pool = {};
  single.pool.min_size = 1;
  single.pool.max_size = 1;
  single.pool.max_lifetime = {};
  single.pool.max_idle = {};
  auto settings = resolve(single);
  if (!settings)
    return settings.error();
  // One try each: who has a factory decides when to come again.
  auto once = **settings;
  once.retry.attempts = 1;
  auto shared = std::make_shared<const sdk::DatabaseSettings>(std::move(once));
  // All of its connections share one thread.
  std::shared_ptr<sdk::Reactor> reactor = asio::make_reactor({.threads = 1});
  return ConnectionFactory{
    [shared, reactor, &log]() -> sdk::Result<std::unique_ptr<PostgresSyncConnector>> {
      auto connection = std::make_unique<PostgresSyncConnector>(shared, log, reactor);
      if (auto connected = connection->connect(); !connected)
        return connected.error();
      return connection;
    }};
}

}  // namespace millrace::postgres
