// PoolMetrics: what a pool counts and measures. Its actor feeds it, anybody reads it.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/db/statement_plan.hpp"
#include "connectors/sdk/metrics.hpp"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace millrace::actors::db {

class PoolMetrics final : public sdk::MetricSource {
public:
  /// @param server its name, the label of all figures.
  explicit PoolMetrics(std::string server) : server_{std::move(server)} {}

  sdk::Histogram wait{sdk::time_buckets};     // from being accepted to a connection
  sdk::Histogram use{sdk::time_buckets};      // how long a session held its connection
  sdk::Histogram connect{sdk::time_buckets};  // to open one
  sdk::Histogram health{sdk::time_buckets};   // until a health check was answered
  sdk::Histogram depth{sdk::depth_buckets};  // statements in flight on a connection, as one is sent
  sdk::Counter statements;                   // parameter sets answered
  sdk::Counter failed_statements;            // of them, with an error
  sdk::Counter connects;
  sdk::Counter losses;           // connections that broke
  sdk::Counter exhausted;        // requests refused or given up because no connection was free
  sdk::Counter leaks;            // sessions held for longer than `leak_threshold`
  sdk::Counter unknown_commits;  // COMMITs of which nobody can tell whether they happened

  /// So many statements more that ran in a way, and why not in a better one.
  void ran(Way way, WhyNot why, std::uint64_t count) noexcept {
    ran_[static_cast<std::size_t>(way)][static_cast<std::size_t>(why)].add(count);
  }

  /// One more retry after an error of this SQLSTATE; thread-safe.
  void retried(std::string_view sqlstate);

  /// The load of this moment.
  void show(const PoolInfo& info) noexcept;

  void visit(sdk::MetricVisitor& visitor) const override;

private:
  const std::string server_;
  std::atomic<std::size_t> total_{0};
  std::atomic<std::size_t> checked_out_{0};
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> up_{true};
  std::array<std::array<sdk::Counter, why_nots>, 3> ran_{};
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> retries_;  // by SQLSTATE
};

}  // namespace millrace::actors::db
