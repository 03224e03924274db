#include "actors/db/health.hpp"

#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr double slow_ms = 1000;

HealthReport report(const ExecuteReply& reply, double latency_ms) {
  const auto& result = reply.results.front();
  if (result) {
    if (latency_ms > slow_ms)
      return {HealthStatus::degraded, "Database is slow to answer", latency_ms};
    return {HealthStatus::healthy, "Database connection OK", latency_ms};
  }
  const auto& error = result.error();
  // Nobody had a connection to spare: the pool is overrun, the server may be well.
  const bool busy = error.code() == "pool_timeout" || error.code() == "pool_exhausted";
  return {busy ? HealthStatus::degraded : HealthStatus::unhealthy, error.message(), latency_ms};
}

}  // namespace

RequestPtr health_request(std::function<void(HealthReport)> done, const PoolServices& services) {
  const auto started = services.clock->now();
  sdk::Statement probe{.sql = "SELECT 1"};
  probe.options.idempotent = true;
  probe.options.timeout = 1s;
  auto request = std::make_shared<Request>(
    std::vector<sdk::Statement>{std::move(probe)}, false,
    [done = std::move(done), started, clock = services.clock,
     metrics = services.metrics](const ExecuteReply& reply) {
      const auto latency = clock->now() - started;
      metrics->health.observe(latency);
      done(report(reply, std::chrono::duration<double, std::milli>{latency}.count()));
    });
  request->urgent = true;
  return request;
}

}  // namespace millrace::actors::db
