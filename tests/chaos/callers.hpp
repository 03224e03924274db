// The callers of the chaos: each is a thread that does one thing after the other, keeps count of
// what it was told, and never stops for an error.
#pragma once

#include "tests/actors/db/pool_fixture.hpp"
#include "tests/chaos/ledger.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace millrace::actors {

class Callers {
public:
  Callers(DatabaseHandle pool, Violations& violations, int count, std::uint64_t seed);
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;

  ~Callers() { stop(); }

  void stop();

  /// What they have asked for and were answered.
  std::uint64_t done() {
    const std::lock_guard lock{mutex_};
    return done_;
  }

  /// After `stop`.
  const std::vector<CallerLedger>& ledgers() const { return ledgers_; }

  /// Until the callers together have done so much more work, or the time is over.
  void work_on(std::uint64_t more, std::chrono::milliseconds most);

  /// The tables that they write; each caller has its own row, and `first` and `second` are for all.
  static std::vector<std::string> schema(int callers);

private:
  void run(int caller, std::uint64_t seed);
  void read(CallerLedger& ledger, std::mt19937_64& random);
  void write(int caller, CallerLedger& ledger);
  void insert(int caller, std::int64_t number, CallerLedger& ledger);
  void transaction(int caller, CallerLedger& ledger, std::mt19937_64& random);
  void drop_session(int caller, CallerLedger& ledger);
  void conflict(CallerLedger& ledger, std::mt19937_64& random);
  void batch(int caller, std::int64_t number, CallerLedger& ledger);
  // bulk_callers.cpp: several statements, many rows
  void all_or_nothing(int caller, std::int64_t number, CallerLedger& ledger);
  void copy(int caller, std::int64_t number, CallerLedger& ledger);
  void stream(CallerLedger& ledger, std::mt19937_64& random);
  void look_at(const sdk::Error& error, const char* what);
  std::vector<sdk::Result<sdk::SqlResult>> ask(CallerLedger& ledger, sdk::Statement statement);

  DatabaseHandle pool_;
  Violations& violations_;
  std::vector<CallerLedger> ledgers_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable worked_;
  std::uint64_t done_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace millrace::actors
