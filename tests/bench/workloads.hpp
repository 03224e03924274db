// The workloads of scripts/bench database as the C++ programs see them, and what each prints at its
// end.
//
//   Latencies seen; seen.add(took); … print(seen, seconds);   // {"per_second": …, "p50_us": …,
//   "p99_us": …}
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <vector>

namespace millrace::bench {

using Clock = std::chrono::steady_clock;

inline constexpr const char* select_by_key = "SELECT points FROM customers WHERE id = $1";
inline constexpr const char* loyalty_query =
  "SELECT COUNT(*) AS loyaltyScore FROM loyaltyPoints WHERE customer_id = $1 AND ORDERDATE BETWEEN "
  "$2 AND $3 GROUP BY customer_id";
inline constexpr const char* insert_event = "INSERT INTO events VALUES ($1, $2)";
inline constexpr const char* lock_customer =
  "SELECT points FROM customers WHERE id = $1 FOR UPDATE";
inline constexpr const char* update_customer =
  "UPDATE customers SET points = points + 1 WHERE id = $1";
inline constexpr const char* first_day = "2026-03-01";
inline constexpr const char* last_day = "2026-05-30";
inline constexpr const char* note = "a note of twenty one";
inline constexpr const char* many_rows = "SELECT id, name, price, at, amount FROM many";
inline constexpr int rows_at_once = 10'000;                       // of `many`, and of one COPY
inline constexpr std::chrono::microseconds open_loop_pause{500};  // between two requests of w7
inline constexpr int customers = 100'000;
inline constexpr int buyers = 10'000;  // those with loyalty points

enum class Workload { w1, w2, w3, w4, w5, w6, w7, unknown };

inline Workload workload_of(std::string_view name) {
  if (name.size() != 2 || name[0] != 'w' || name[1] < '1' || name[1] > '7')
    return Workload::unknown;
  return static_cast<Workload>(name[1] - '1');
}

/// What every caller saw, once it is warm.
inline void print(std::vector<float>& microseconds, double seconds) {
  std::ranges::sort(microseconds);
  const auto at = [&](double share) {
    return microseconds.empty() ? 0.0F
                                : microseconds[static_cast<std::size_t>(
                                  static_cast<double>(microseconds.size()) * share)];
  };
  std::printf("{\"per_second\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
              static_cast<double>(microseconds.size()) / seconds, at(0.5), at(0.99));
}

inline float microseconds_since(Clock::time_point start) {
  return std::chrono::duration<float, std::micro>(Clock::now() - start).count();
}

}  // namespace millrace::bench
