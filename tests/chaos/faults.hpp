// What the chaos does to the pool under test: to its server, to the network between them, and to
// its statements. A fault begins, lasts, and ends before the next one.
#pragma once

#include "tests/actors/db/pool_fixture.hpp"
#include "tests/support/fault_proxy.hpp"
#include "tests/support/postgres.hpp"

#include <functional>
#include <random>
#include <string>
#include <vector>

namespace millrace::actors {

class Faults {
public:
  /// @param victim the application_name of the pool under test; `helper` goes round the proxy.
  Faults(test::PostgresServer& server, test::FaultProxy& proxy, PoolFixture& helper,
         std::string victim, std::uint64_t seed);

  struct Kind {
    std::string name;
    int weight = 1;
    bool unclean = false;  // the server may not learn for a while that a connection is gone
    std::function<void()> strike;
  };

  /// Does one, and undoes it. @returns which.
  const Kind& one();

  const std::vector<Kind>& kinds() const { return kinds_; }

private:
  void add(std::string name, int weight, bool unclean, std::function<void()> strike);
  void add_kills();
  void add_network();
  void add_outages();
  void add_statements();
  std::int64_t kill(const std::string& which);
  void quietly(const std::string& sql);
  void pause(int from_ms, int to_ms);
  test::Fault network_fault(test::Fault::Kind kind);

  test::PostgresServer& server_;
  test::FaultProxy& proxy_;
  PoolFixture& helper_;
  const std::string victim_;
  std::mt19937_64 random_;
  std::vector<Kind> kinds_;
  int total_weight_ = 0;
};

}  // namespace millrace::actors
