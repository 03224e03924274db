#include "connectors/sdk/metrics.hpp"

#include <algorithm>
#include <array>

namespace millrace::sdk {

namespace {

constexpr std::array time_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                 0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0};

constexpr std::array depth_bounds{1.0,   2.0,   4.0,   8.0,    16.0,   32.0,  64.0,
                                  128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0};

}  // namespace

const std::span<const double> time_buckets{time_bounds};
const std::span<const double> depth_buckets{depth_bounds};

Histogram::Histogram(std::span<const double> bounds)
  : bounds_{bounds}, counts_{std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)} {
}

void Histogram::add(double value, std::uint64_t times) noexcept {
  const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
  counts_[static_cast<std::size_t>(bucket)].fetch_add(times, std::memory_order_relaxed);
  sum_.fetch_add(value * static_cast<double>(times), std::memory_order_relaxed);
}

void Histogram::observe(double value) noexcept {
  add(value, 1);
}

void Histogram::observe(std::chrono::nanoseconds time) noexcept {
  observe(time, 1);
}

void Histogram::observe(std::chrono::nanoseconds time, std::uint64_t times) noexcept {
  add(std::chrono::duration<double>{time}.count(), times);
}

HistogramSnapshot Histogram::snapshot() const {
  HistogramSnapshot taken{.bounds = bounds_, .sum = sum_.load(std::memory_order_relaxed)};
  taken.counts.reserve(bounds_.size() + 1);
  for (std::size_t i = 0; i <= bounds_.size(); ++i) {
    taken.counts.push_back(counts_[i].load(std::memory_order_relaxed));
    taken.count += taken.counts.back();
  }
  return taken;
}

}  // namespace millrace::sdk
