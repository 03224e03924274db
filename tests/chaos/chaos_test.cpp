// A pool under load while everything round it breaks: its promises hold all the time.
//
// A few faults in the tests; MILLRACE_CHAOS_FAULTS and MILLRACE_CHAOS_SEED ask for more, which is
// what scripts/chaos does.
#include "tests/chaos/chaos_fixture.hpp"
#include "tests/chaos/faults.hpp"
#include "tests/chaos/sampler.hpp"

#include <iomanip>
#include <iostream>
#include <map>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Row {
  int count = 0;
  std::chrono::milliseconds longest{0};  // from the end of the fault to the first answer
};

class ChaosTest : public ChaosFixture {};

void print(const std::string& what, const Tally& tally) {
  std::cout << "| " << std::left << std::setw(34) << what << " | " << std::right << std::setw(9)
            << tally.asked << " | " << std::setw(9) << tally.confirmed << " | " << std::setw(7)
            << tally.unknown << " | " << std::setw(8) << tally.failed << " |\n";
}

TEST_F(ChaosTest, KeepsItsPromisesWhateverBreaks) {
  const auto faults = from_environment("MILLRACE_CHAOS_FAULTS", 10);
  const auto seed = from_environment("MILLRACE_CHAOS_SEED", std::random_device{}());
  std::cout << "chaos: " << faults << " faults, seed " << seed << std::endl;
  SCOPED_TRACE("MILLRACE_CHAOS_SEED=" + std::to_string(seed));

  Violations violations;
  WatchedLog log{violations};
  // The helper's own connections come and go.
  const auto counted = [&] { return open_descriptors() - helper_->info().total; };
  const auto before = counted();
  std::map<std::string, Row> rows;
  std::vector<CallerLedger> ledgers;
  std::int64_t most = 0;
  std::int64_t samples = 0;
  std::chrono::milliseconds slowest_recovery{0};
  const auto began = Clock::now();
  {
    const auto victim = victim_case();
    PoolFixture pool{victim.settings, *victim.driver, 1, &log};
    Callers load{pool.handle(), violations, callers, seed};
    Sampler sampler{*helper_, victim_};
    Faults chaos{*server_, *proxy_, *helper_, victim_, seed};
    for (std::uint64_t i = 0; i < faults; ++i) {
      sampler.excuse(true);  // until it is known whether it needs to be
      const auto& kind = chaos.one();
      sampler.excuse(kind.unclean);
      const auto took = recover(pool);
      auto& row = rows[kind.name];
      ++row.count;
      row.longest = std::max(row.longest, took);
      slowest_recovery = std::max(slowest_recovery, took);
      EXPECT_LE(took, recovery) << "after: " << kind.name;
      // Some work in between, and time for the server to see what the network kept from it.
      load.work_on(100, 5s);
      if (testing::Test::HasFatalFailure() || !violations.empty())
        break;
    }
    load.stop();
    ledgers = load.ledgers();
    most = sampler.most();
    samples = sampler.samples();
    WatchedMetrics metrics{violations};
    pool.handle().metrics()->visit(metrics);
    EXPECT_GT(metrics.seen(), 10);
    for (const auto& statement : pool.info().by_statement) {
      if ((statement.sql + statement.not_shared + statement.not_in_set).find(planted)
          != std::string::npos)
        violations.add("a secret in the figures of a statement");
    }
  }
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - began);

  Tally reads;
  Tally writes;
  Tally inserts;
  Tally transactions;
  Tally conflicts;
  Tally batches;
  Tally copies;
  Tally streams;
  std::chrono::milliseconds longest{0};
  for (int caller = 0; caller < callers; ++caller) {
    const auto& ledger = ledgers[static_cast<std::size_t>(caller)];
    check_rows(caller, ledger);
    reads.add(ledger.reads);
    writes.add(ledger.writes);
    inserts.add(ledger.inserts);
    transactions.add(ledger.transactions);
    conflicts.add(ledger.conflicts);
    batches.add(ledger.batches);
    copies.add(ledger.copies);
    streams.add(ledger.streams);
    longest = std::max(longest, ledger.longest);
  }
  EXPECT_TRUE(violations.empty()) << violations.text();
  EXPECT_LE(longest, in_time);
  EXPECT_LE(most, static_cast<std::int64_t>(limit)) << "more connections than allowed";
  EXPECT_LE(counted(), before) << "descriptors were leaked";

  std::cout << "\n| fault                              | times | back within |\n"
               "|------------------------------------|-------|-------------|\n";
  for (const auto& [name, row] : rows)
    std::cout << "| " << std::left << std::setw(34) << name << " | " << std::right << std::setw(5)
              << row.count << " | " << std::setw(8) << row.longest.count() << " ms |\n";
  std::cout
    << "\n| asked for                          |     times | confirmed | unknown |   failed "
       "|\n|------------------------------------|-----------|-----------|---------|----------|\n";
  print("reads", reads);
  print("updates", writes);
  print("inserts", inserts);
  print("transactions", transactions);
  print("statements in conflict", conflicts);
  print("batches of two statements", batches);
  print("rows in bulk, 40 at a time", copies);
  print("large results, row by row", streams);
  std::cout << "\n"
            << faults << " faults in " << whole.count() << " s, seed " << seed
            << "; slowest answer " << longest.count() << " ms; back within "
            << slowest_recovery.count() << " ms; most connections " << most << " of " << limit
            << " in " << samples << " samples; " << log.lines() << " log lines without a secret\n";
}

}  // namespace
}  // namespace millrace::actors
