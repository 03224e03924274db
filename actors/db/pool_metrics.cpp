#include "actors/db/pool_metrics.hpp"

#include <array>

namespace millrace::actors::db {

void PoolMetrics::retried(std::string_view sqlstate) {
  const std::lock_guard lock{mutex_};
  const auto found = retries_.find(sqlstate);
  if (found != retries_.end())
    ++found->second;
  else
    retries_.emplace(sqlstate, 1);
}

void PoolMetrics::show(const PoolInfo& info) noexcept {
  total_.store(info.total, std::memory_order_relaxed);
  checked_out_.store(info.checked_out, std::memory_order_relaxed);
  waiting_.store(info.waiting, std::memory_order_relaxed);
  up_.store(!info.down, std::memory_order_relaxed);
}

void PoolMetrics::visit(sdk::MetricVisitor& visitor) const {
  const std::array labels{sdk::MetricLabel{"server", server_}};
  const auto gauge = [&](std::string_view name, std::string_view help, auto value) {
    visitor.gauge(name, help, labels, static_cast<double>(value));
  };
  const auto counter = [&](std::string_view name, std::string_view help,
                           const sdk::Counter& value) {
    visitor.counter(name, help, labels, value.value());
  };
  const auto histogram = [&](std::string_view name, std::string_view help,
                             const sdk::Histogram& value) {
    visitor.histogram(name, help, labels, value.snapshot());
  };
  gauge("millrace_pool_connections", "Connections that are open or being opened", total_.load());
  gauge("millrace_pool_checked_out", "Connections lent to sessions", checked_out_.load());
  gauge("millrace_pool_waiting", "Requests that no connection has taken yet", waiting_.load());
  gauge("millrace_pool_up", "1 while the server can be reached", up_.load());
  counter("millrace_pool_statements_total", "Parameter sets answered", statements);
  counter("millrace_pool_statement_errors_total", "Of them, with an error", failed_statements);
  counter("millrace_pool_connects_total", "Connections opened", connects);
  counter("millrace_pool_losses_total", "Connections that broke", losses);
  counter("millrace_pool_exhausted_total",
          "Requests refused or given up because no connection was free", exhausted);
  counter("millrace_pool_leaks_total", "Sessions held for longer than leak_threshold", leaks);
  counter("millrace_pool_unknown_commits_total",
          "Commits of which nobody can tell whether they happened", unknown_commits);
  histogram("millrace_pool_wait_seconds", "From a request to its connection", wait);
  histogram("millrace_pool_use_seconds", "How long sessions held their connection", use);
  histogram("millrace_pool_connect_seconds", "Time to open a connection", connect);
  histogram("millrace_pool_health_seconds", "Time until a health check was answered", health);
  histogram("millrace_pool_depth", "Statements in flight on a connection as one is sent", depth);
  for (const auto way : {Way::each, Way::shared, Way::set}) {
    for (std::size_t why = 0; why < why_nots; ++why) {
      const auto& count = ran_[static_cast<std::size_t>(way)][why];
      if (count.value() == 0)
        continue;
      const std::array by_way{labels[0], sdk::MetricLabel{"way", to_string(way)},
                              sdk::MetricLabel{"reason", to_string(static_cast<WhyNot>(why))}};
      visitor.counter("millrace_pool_statements_by_way_total",
                      "Statements by how they ran, and why not in a better way", by_way,
                      count.value());
    }
  }
  const std::lock_guard lock{mutex_};
  for (const auto& [sqlstate, count] : retries_) {
    const std::array by_state{labels[0], sdk::MetricLabel{"sqlstate", sqlstate}};
    visitor.counter("millrace_pool_retries_total", "Attempts after the first, by SQLSTATE",
                    by_state, count);
  }
}

}  // namespace millrace::actors::db
