// Sampler: how many connections the server has for the pool under test, looked at all the time.
//
//   Sampler sampler{helper, application_name};
//   …
//   EXPECT_LE(sampler.most(), limit);
#pragma once

#include "tests/actors/db/pool_fixture.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace millrace::actors {

// Looks again and again how many connections the server has for the pool.
class Sampler {
public:
  Sampler(PoolFixture& helper, std::string victim) : helper_{helper}, victim_{std::move(victim)} {
    thread_ = std::thread{[this] { run(); }};
  }

  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  ~Sampler() {
    stop_ = true;
    thread_.join();
  }

  /// Where the network hides from the server that a connection is gone, nobody can keep the limit.
  void excuse(bool on) { excused_ = on; }

  std::int64_t most() const { return most_; }

  std::int64_t samples() const { return samples_; }

private:
  void run() {
    while (!stop_) {
      const bool excused = excused_;
      const auto found = helper_.run(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = '" + victim_ + "'");
      if (found && !excused && !excused_) {
        most_ = std::max<std::int64_t>(most_, found->rows.items()[0].find("n")->as_integer());
        ++samples_;
      }
      std::this_thread::sleep_for(
        std::chrono::milliseconds{3});  // the pace of the samples: it waits for nothing
    }
  }

  PoolFixture& helper_;
  const std::string victim_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> excused_{false};
  std::atomic<std::int64_t> most_{0};
  std::atomic<std::int64_t> samples_{0};
  std::thread thread_;
};

}  // namespace millrace::actors
