// What database steps put out, from what the pool answers.
#pragma once

#include "actors/db/database_handle.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

namespace millrace::actors {

/// Why a group of statements failed: the error of the one at fault; the others only say that they
/// were rolled back. Null where all of them worked.
const sdk::Error* guilty_of(const ExecuteReply& reply);

/// Of executeBatch: {results: [{rows, …}, …], rowcount}, or the error of the statement that failed.
sdk::Result<sdk::Value> batch_result(const ExecuteReply& reply);

/// Of dbConnection: {status, message, latency_ms}, or kind `connection` where it is not healthy.
sdk::Result<sdk::Value> health_result(const HealthReport& report);

}  // namespace millrace::actors
