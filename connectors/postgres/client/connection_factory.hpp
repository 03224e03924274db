// build_connection_factory: connections without a pool, for those who keep their own. Every call
// tries the hosts in an order of its own, each within the time limit, until one will do.
//
//   auto connect =
//   build_connection_factory("postgresql://ada@a,b/shop?target_session_attrs=primary"); auto
//   connection = (*connect)();
//   (*connection)->execute("SELECT 1");
#pragma once

#include "connectors/postgres/client/sync_connector.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::postgres {

/// Thread-safe. @returns kind `connection` with every host and its reason where none will do.
using ConnectionFactory = std::function<sdk::Result<std::unique_ptr<PostgresSyncConnector>>()>;

/// @param url any form that ConnectionConfig takes, with several hosts and target_session_attrs.
/// @param timeout per host.
/// @returns kind `config` where the address has mistakes.
sdk::Result<ConnectionFactory>
build_connection_factory(std::string_view url,
                         std::chrono::milliseconds timeout = std::chrono::seconds{5},
                         sdk::Log& log = sdk::silent_log());

/// The same from settings; of the pool's only the one connection is left.
sdk::Result<ConnectionFactory> build_connection_factory(const ConnectionConfig& config,
                                                        sdk::Log& log = sdk::silent_log());

}  // namespace millrace::postgres
