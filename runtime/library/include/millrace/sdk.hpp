// What connectors and their users share: values, statements, results, errors, the interface of a
// database in both styles, the mock of it, transactions and retries over any of them.
#pragma once

#include "connectors/sdk/arguments.hpp"
#include "connectors/sdk/connector_driver.hpp"
#include "connectors/sdk/database.hpp"
#include "connectors/sdk/database_connector.hpp"
#include "connectors/sdk/database_error.hpp"
#include "connectors/sdk/dsn.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/mock_database.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/retry.hpp"
#include "connectors/sdk/statement.hpp"
#include "connectors/sdk/transaction.hpp"
#include "connectors/sdk/value.hpp"

namespace millrace {

using sdk::append_json;
using sdk::Argument;
using sdk::Arguments;
using sdk::AsyncDatabase;
using sdk::AsyncDatabaseConnector;
using sdk::build_db_dsn;
using sdk::current_date;
using sdk::current_timestamp;
using sdk::DatabaseConnectionError;
using sdk::DatabaseError;
using sdk::DatabaseExecutionError;
using sdk::DatabaseTimeoutError;
using sdk::DatabaseTransactionError;
using sdk::Dsn;
using sdk::Error;
using sdk::ErrorKind;
using sdk::is;
using sdk::is_dsn_multihost;
using sdk::Isolation;
using sdk::mask_dsn;
using sdk::MockConnector;
using sdk::MockDatabase;
using sdk::named;
using sdk::parse_dsn;
using sdk::parse_json;
using sdk::Result;
using sdk::retry;
using sdk::retry_transaction;
using sdk::RetryOptions;
using sdk::SqlResult;
using sdk::StatementOptions;
using sdk::Status;
using sdk::SyncDatabase;
using sdk::SyncDatabaseConnector;
using sdk::to_json;
using sdk::Transaction;
using sdk::TransactionOptions;
using sdk::Value;
using sdk::value_or_throw;
using sdk::with_transaction;

}  // namespace millrace
