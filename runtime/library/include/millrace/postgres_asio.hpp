// PostgreSQL for programs on Boost.Asio: every operation takes a completion token.
#pragma once

#include "connectors/postgres/client/asio.hpp"
#include "millrace/postgres.hpp"

namespace millrace {

using postgres::async_next;
using postgres::async_retry;
using postgres::BeginOptions;
using postgres::PostgresAsyncConnector;
using postgres::retry_transaction;
using postgres::with_savepoint;
using postgres::with_transaction;

}  // namespace millrace
