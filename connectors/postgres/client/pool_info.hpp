// PoolInfo and HealthReport: how a pool and its server are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace millrace::postgres {

/// Connections now. `size` is the soft limit; what is above it is overflow.
struct PoolInfo {
  std::size_t checked_out = 0;  // lent
  std::size_t available = 0;    // idle
  std::size_t total = 0;        // open, or being opened
  std::size_t overflow = 0;
  std::size_t waiting = 0;  // requests for a connection
  std::size_t size = 0;
};

enum class HealthStatus : std::uint8_t { healthy, degraded, unhealthy };

struct HealthReport {
  HealthStatus status = HealthStatus::unhealthy;
  std::string message;  // "Database connection OK"
  double latency_ms = 0;
};

}  // namespace millrace::postgres
