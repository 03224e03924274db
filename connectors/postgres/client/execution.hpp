// Execution: a statement outside of a transaction, with all that is tried again for it.
#pragma once

#include "connectors/postgres/client/pool.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace millrace::postgres {

/// One result per parameter set.
using ManyCallback = std::function<void(std::vector<sdk::Result<sdk::SqlResult>>)>;

/// Each parameter set commits on its own. Tried again is what cannot have happened, conflicts, and
/// what the statement's options declare repeatable.
class Execution : public std::enable_shared_from_this<Execution> {
public:
  Execution(std::shared_ptr<ClientPool> pool, sdk::Statement statement, ManyCallback done);

  /// On the pool's loop.
  void start();

private:
  void send(const Lease& lease);
  void take(const BurstResult& result);
  void settle(std::size_t set, sdk::Result<sdk::SqlResult> result);
  void try_again(std::vector<std::size_t> sets, std::chrono::milliseconds wait,
                 const sdk::Error& error);
  std::chrono::milliseconds time_limit() const;
  sdk::Error lost_error(sdk::StatementPhase phase, const sdk::WireLoss& loss,
                        sdk::LossVerdict verdict) const;

  std::shared_ptr<ClientPool> pool_;
  std::shared_ptr<const sdk::Statement> statement_;
  ManyCallback done_;
  std::vector<std::optional<sdk::Result<sdk::SqlResult>>> results_;
  std::vector<std::size_t> pending_;
  std::size_t settled_ = 0;
  std::uint32_t attempt_ = 1;
  bool overdue_ = false;  // the server did not keep its own limit of time
};

}  // namespace millrace::postgres
