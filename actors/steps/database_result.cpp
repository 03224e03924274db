#include "actors/steps/database_result.hpp"

#include <string>
#include <utility>

namespace millrace::actors {

const sdk::Error* guilty_of(const ExecuteReply& reply) {
  const auto only_neighbour = [](const sdk::Error& error) { return error.code() == "25P02"; };
  const sdk::Error* guilty = nullptr;
  for (const auto& result : reply.results) {
    if (!result && (!guilty || (only_neighbour(*guilty) && !only_neighbour(result.error()))))
      guilty = &result.error();
  }
  return guilty;
}

sdk::Result<sdk::Value> batch_result(const ExecuteReply& reply) {
  if (const auto* error = guilty_of(reply))
    return *error;
  auto results = sdk::Value::array();
  std::int64_t rowcount = 0;
  for (const auto& result : reply.results) {
    results.push_back(result->to_value());
    rowcount += result->rowcount.value_or(0);
  }
  return sdk::Value::object({{"results", std::move(results)}, {"rowcount", rowcount}});
}

sdk::Result<sdk::Value> health_result(const HealthReport& report) {
  if (report.status == HealthStatus::unhealthy)
    return sdk::Error{sdk::ErrorKind::connection, report.message, {.retryable = true}};
  return sdk::Value::object({{"status", to_string(report.status)},
                             {"message", report.message},
                             {"latency_ms", report.latency_ms}});
}

}  // namespace millrace::actors
