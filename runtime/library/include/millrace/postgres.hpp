// PostgreSQL as a library: blocking calls, or callbacks. Coroutines and the other completion tokens
// of Asio are in postgres_asio.hpp.
#pragma once

#include "connectors/postgres/client/callback_connector.hpp"
#include "connectors/postgres/client/config.hpp"
#include "connectors/postgres/client/connection_factory.hpp"
#include "connectors/postgres/client/row_stream.hpp"
#include "connectors/postgres/client/sync_connector.hpp"
#include "millrace/sdk.hpp"

namespace millrace {

using postgres::build_connection_factory;
using postgres::CallbackConnector;
using postgres::ConfigSources;
using postgres::ConnectionConfig;
using postgres::ConnectionFactory;
using postgres::HealthReport;
using postgres::HealthStatus;
using postgres::load_config;
using postgres::PoolConfig;
using postgres::PoolInfo;
using postgres::PoolMode;
using postgres::PostgresSyncConnector;
using postgres::read_config;
using postgres::resolve;
using postgres::RetryConfig;
using postgres::RowStream;
using postgres::StreamOptions;

}  // namespace millrace
