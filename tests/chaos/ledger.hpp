// What a caller of the chaos was told, against what the tables say in the end: nothing twice,
// nothing lost in silence.
#pragma once

#include "connectors/sdk/error.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/metrics.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace millrace::actors {

/// Stands in passwords, parameters and details; must come out nowhere.
inline constexpr const char* planted = "planted-7b1c";

/// What went wrong with the promises, not with the database. Thread-safe.
class Violations {
public:
  void add(std::string what) {
    const std::lock_guard lock{mutex_};
    if (found_.size() < 20)
      found_.push_back(std::move(what));
    ++count_;
  }

  std::string text() const {
    const std::lock_guard lock{mutex_};
    std::string all = std::to_string(count_) + " violations";
    for (const auto& one : found_)
      all.append("\n  ").append(one);
    return all;
  }

  bool empty() const {
    const std::lock_guard lock{mutex_};
    return count_ == 0;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> found_;
  std::uint64_t count_ = 0;
};

/// Reads the log as somebody would who is not to know the secrets.
class WatchedLog final : public sdk::Log {
public:
  explicit WatchedLog(Violations& violations) : violations_{violations} {}

  bool enabled(sdk::LogLevel) const noexcept override { return true; }

  void write(sdk::LogLevel, std::string_view event,
             std::span<const sdk::LogField> fields) noexcept override {
    for (const auto& field : fields) {
      if (field.value.is_string() && field.value.as_string().find(planted) != std::string::npos)
        violations_.add("a secret in the log of '" + std::string{event} + "'");
    }
    ++lines_;
  }

  std::uint64_t lines() const { return lines_; }

private:
  Violations& violations_;
  std::atomic<std::uint64_t> lines_{0};
};

/// Reads the metrics in the same way.
class WatchedMetrics final : public sdk::MetricVisitor {
public:
  explicit WatchedMetrics(Violations& violations) : violations_{violations} {}

  void counter(std::string_view name, std::string_view help, Labels labels,
               std::uint64_t) override {
    look(name, help, labels);
  }

  void gauge(std::string_view name, std::string_view help, Labels labels, double) override {
    look(name, help, labels);
  }

  void histogram(std::string_view name, std::string_view help, Labels labels,
                 const sdk::HistogramSnapshot&) override {
    look(name, help, labels);
  }

  int seen() const { return seen_; }

private:
  void look(std::string_view name, std::string_view help, Labels labels) {
    ++seen_;
    bool secret = name.find(planted) != std::string_view::npos
                  || help.find(planted) != std::string_view::npos;
    for (const auto& label : labels)
      secret = secret || label.value.find(planted) != std::string_view::npos;
    if (secret)
      violations_.add("a secret in the metric " + std::string{name});
  }

  Violations& violations_;
  int seen_ = 0;
};

/// One kind of thing that a caller does; its thread alone writes.
struct Tally {
  std::uint64_t asked = 0;
  std::uint64_t confirmed = 0;
  std::uint64_t unknown = 0;  // it was told that nobody knows
  std::uint64_t failed = 0;   // it was told that it did not happen

  void add(const Tally& other) {
    asked += other.asked;
    confirmed += other.confirmed;
    unknown += other.unknown;
    failed += other.failed;
  }

  void count(const sdk::Error* error) {
    ++asked;
    if (error == nullptr)
      ++confirmed;
    else if (error->outcome_unknown())
      ++unknown;
    else
      ++failed;
  }
};

struct CallerLedger {
  Tally reads;
  Tally writes;        // UPDATE … + 1
  Tally inserts;       // of a row of their own
  Tally transactions;  // UPDATE … + 1 and COMMIT
  Tally conflicts;
  Tally batches;  // of two statements, all or nothing
  Tally copies;   // of rows in bulk, and COMMIT
  Tally streams;
  std::uint64_t dropped = 0;              // sessions left without a word
  std::set<std::int64_t> inserted;        // confirmed
  std::set<std::int64_t> maybe_inserted;  // unknown
  std::set<std::int64_t> copied;
  std::set<std::int64_t> maybe_copied;
  std::chrono::milliseconds longest{0};  // that anything took to be answered

  void took(std::chrono::steady_clock::duration time) {
    longest = std::max(longest, std::chrono::duration_cast<std::chrono::milliseconds>(time));
  }
};

}  // namespace millrace::actors
