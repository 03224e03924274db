// What became of a COMMIT whose answer was lost (docs/decisions/0020-lost-commits.md).
#pragma once

#include "connectors/postgres/client/pool.hpp"

#include <functional>
#include <memory>

namespace millrace::postgres {

/// Of a transaction whose connection went before its COMMIT was under way: nothing happened.
sdk::Error transaction_lost(const sdk::Error& loss);

/// Calls `done` with what the COMMIT did, asking the server on another connection where that is
/// needed, for 30 s at most; else with an error that says `outcome_unknown`.
/// @param number what came back of the transaction's number; empty where nobody asked.
void resolve_commit(const std::shared_ptr<ClientPool>& pool, const sdk::WireLoss& loss,
                    const BurstResult::Item& commit, const BurstResult::Item& number,
                    std::function<void(sdk::Result<sdk::SqlResult>)> done);

}  // namespace millrace::postgres
