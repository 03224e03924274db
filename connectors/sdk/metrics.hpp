// Metrics: counters and histograms that one part of the program feeds and another reads, from any
// thread. An exporter walks the sources; it needs to know nothing of what they measure.
//
//   Histogram wait{time_buckets};
//   wait.observe(2ms);
//   source.visit(visitor);   // visitor.histogram("pool_wait_seconds", …, wait.snapshot())
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// Counts events; only ever rises.
class Counter {
public:
  void add(std::uint64_t count = 1) noexcept { value_.fetch_add(count, std::memory_order_relaxed); }

  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::uint64_t> value_{0};
};

struct HistogramSnapshot {
  std::span<const double> bounds;     // upper ones, rising; the last bucket has none
  std::vector<std::uint64_t> counts;  // per bucket, not summed up; one more than `bounds`
  std::uint64_t count = 0;
  double sum = 0;
};

/// 100 µs to 30 s, in seconds.
extern const std::span<const double> time_buckets;

/// 1 to 4096, doubling.
extern const std::span<const double> depth_buckets;

class Histogram {
public:
  /// @param bounds outlives it.
  explicit Histogram(std::span<const double> bounds);

  void observe(double value) noexcept;
  void observe(std::chrono::nanoseconds time) noexcept;

  /// So many of the same.
  void observe(std::chrono::nanoseconds time, std::uint64_t times) noexcept;

  /// May miss what is being observed just now.
  HistogramSnapshot snapshot() const;

private:
  void add(double value, std::uint64_t times) noexcept;

  std::span<const double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

struct MetricLabel {
  std::string_view name;
  std::string_view value;
};

/// Takes what a source has; nothing that it is given outlives the call. Names are Prometheus's:
/// `…_total` for counters, `…_seconds` for times.
class MetricVisitor {
public:
  using Labels = std::span<const MetricLabel>;

  virtual ~MetricVisitor() = default;
  virtual void counter(std::string_view name, std::string_view help, Labels labels,
                       std::uint64_t value) = 0;
  virtual void gauge(std::string_view name, std::string_view help, Labels labels, double value) = 0;
  virtual void histogram(std::string_view name, std::string_view help, Labels labels,
                         const HistogramSnapshot& value) = 0;
};

class MetricSource {
public:
  virtual ~MetricSource() = default;

  /// Thread-safe.
  virtual void visit(MetricVisitor& visitor) const = 0;
};

}  // namespace millrace::sdk
