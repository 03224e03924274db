// The connector as a library under load while everything round it breaks: its callers block, and
// what each of them is told is true.
#include "connectors/postgres/client/sync_connector.hpp"
#include "tests/chaos/chaos_fixture.hpp"
#include "tests/chaos/faults.hpp"
#include "tests/chaos/sampler.hpp"

#include <iostream>
#include <mutex>
#include <optional>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using postgres::PostgresSyncConnector;
using sdk::ErrorKind;
using sdk::Status;
using sdk::Transaction;
using sdk::Value;
using Clock = std::chrono::steady_clock;

/// A caller with a thread of its own, and with a transaction of its own where it wants one.
class LibraryCaller {
public:
  LibraryCaller(const PostgresSyncConnector& db, Violations& violations, int number,
                std::uint64_t seed)
    : db_{db.session()}, violations_{violations}, number_{number}, random_{seed} {
    thread_ = std::thread{[this] { run(); }};
  }

  LibraryCaller(const LibraryCaller&) = delete;
  LibraryCaller& operator=(const LibraryCaller&) = delete;

  ~LibraryCaller() { stop(); }

  void stop() {
    stop_ = true;
    if (thread_.joinable())
      thread_.join();
  }

  std::uint64_t done() const { return done_; }

  /// After `stop`.
  const CallerLedger& ledger() const { return ledger_; }

private:
  void run() {
    for (std::int64_t round = 0; !stop_; ++round) {
      const auto began = Clock::now();
      switch (random_() % 6) {
      case 0:
        read();
        break;
      case 1:
        write();
        break;
      case 2:
        insert(round);
        break;
      case 3:
        transaction(round);
        break;
      case 4:
        drop_session();
        break;
      default:
        stream();
        break;
      }
      ledger_.took(Clock::now() - began);
      ++done_;
      // The pace of the load: the machine has others to serve too.
      std::this_thread::sleep_for(std::chrono::microseconds{random_() % 2000});
    }
  }

  const sdk::Error* look_at(const sdk::Error* error, const char* what) {
    if (error == nullptr)
      return nullptr;
    const auto text = error->to_string();
    if (text.find(planted) != std::string::npos)
      violations_.add(std::string{"a secret in an error of "} + what);
    const auto kind = error->kind();
    if (kind != ErrorKind::connection && kind != ErrorKind::timeout
        && kind != ErrorKind::transaction && kind != ErrorKind::overloaded)
      violations_.add(std::string{what} + ": " + text);
    return error;
  }

  template <class T>
  const sdk::Error* error_of(const sdk::Result<T>& result, const char* what) {
    return look_at(result ? nullptr : &result.error(), what);
  }

  void read() {
    const auto n = static_cast<std::int64_t>(random_() % 100'000);
    const auto result = db_.execute("SELECT ?::int8 * 2 AS twice", {n}, {.read_only = true});
    const auto* error = error_of(result, "a read");
    ledger_.reads.count(error);
    if (error != nullptr && error->outcome_unknown())
      violations_.add("a read whose outcome nobody knows");
    if (result && result->rows.items()[0].find("twice")->as_integer() != 2 * n)
      violations_.add("a read gave somebody else's answer");
  }

  void write() {
    const auto result = db_.execute("UPDATE counters SET writes = writes + 1 WHERE caller = ?",
                                    {number_});
    ledger_.writes.count(error_of(result, "a write"));
    if (result && result->rowcount != 1)
      violations_.add("an UPDATE of one row changed another number of rows");
  }

  void insert(std::int64_t round) {
    constexpr std::int64_t sets = 10;
    std::vector<sdk::Arguments> all;
    for (std::int64_t i = 0; i < sets; ++i) {
      sdk::Arguments set{number_, round * sets + i, planted};
      all.push_back(std::move(set));
    }
    const auto results = db_.execute_many("INSERT INTO entries VALUES (?, ?, ?)", all);
    if (results.size() != sets)
      violations_.add("not one result for each parameter set");
    for (std::size_t i = 0; i < results.size(); ++i) {
      const auto* error = error_of(results[i], "an insert");
      ledger_.inserts.count(error);
      const auto entry = round * sets + static_cast<std::int64_t>(i);
      if (error == nullptr)
        ledger_.inserted.insert(entry);
      else if (error->outcome_unknown())
        ledger_.maybe_inserted.insert(entry);
    }
  }

  // The count and the pairs are always equal.
  void transaction(std::int64_t round) {
    const auto status = sdk::with_transaction(db_, [&](Transaction& tx) -> Status {
      if (auto done = tx.execute("UPDATE counters SET batches = batches + 1 WHERE caller = ?",
                                 {number_});
          !done)
        return done.error();
      if (auto done = tx.execute("INSERT INTO pairs VALUES (?, ?)", {number_, round}); !done)
        return done.error();
      return {};
    });
    ledger_.batches.count(error_of(status, "a transaction"));
  }

  void drop_session() {
    auto gone = db_.session();
    if (error_of(gone.begin(), "begin") != nullptr)
      return;
    static_cast<void>(
      error_of(gone.execute("UPDATE counters SET ghosts = ghosts + 1 WHERE caller = ?", {number_}),
               "a statement of a transaction"));
    ++ledger_.dropped;
  }

  void stream() {
    const auto wanted = static_cast<std::int64_t>(random_() % 3000);
    auto rows = db_.stream("SELECT i FROM generate_series(1, ?::int) i", {wanted});
    const auto* error = error_of(rows, "a stream");
    std::int64_t came = 0;
    while (error == nullptr) {
      const auto chunk = rows->next();
      error = error_of(chunk, "a stream");
      if (error != nullptr || chunk->size() == 0)
        break;
      for (const auto& row : chunk->items()) {
        if (row.find("i")->as_integer() != ++came)
          violations_.add("a stream gave other rows than it was asked for");
      }
    }
    ledger_.streams.count(error);
    if (error == nullptr && came != wanted)
      violations_.add("a stream ended early, and said nothing");
  }

  PostgresSyncConnector db_;
  Violations& violations_;
  const int number_;
  std::mt19937_64 random_;
  CallerLedger ledger_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> done_{0};
  std::thread thread_;
};

class LibraryChaosTest : public ChaosFixture {};

TEST_F(LibraryChaosTest, KeepsItsPromisesWhateverBreaks) {
  const auto faults = from_environment("MILLRACE_CHAOS_FAULTS", 6);
  // In the tests the machine may have much else to do.
  const auto back_within = faults > 100 ? recovery : 10 * recovery;
  const auto seed = from_environment("MILLRACE_CHAOS_SEED", std::random_device{}());
  std::cout << "chaos of the library: " << faults << " faults, seed " << seed << std::endl;
  SCOPED_TRACE("MILLRACE_CHAOS_SEED=" + std::to_string(seed));
  Violations violations;
  WatchedLog log{violations};
  const auto counted = [&] { return open_descriptors() - helper_->info().total; };
  const auto before = counted();
  std::chrono::milliseconds slowest_recovery{0};
  std::int64_t most = 0;
  CallerLedger all;
  {
    PostgresSyncConnector db{std::make_shared<const sdk::DatabaseSettings>(victim_case().settings),
                             log};
    ASSERT_TRUE(db.connect());
    std::vector<std::unique_ptr<LibraryCaller>> load;
    load.reserve(callers);
    for (int caller = 0; caller < callers; ++caller)
      load.push_back(std::make_unique<LibraryCaller>(db, violations, caller,
                                                     seed + static_cast<std::uint64_t>(caller)));
    const auto done = [&load] {
      std::uint64_t sum = 0;
      for (const auto& caller : load)
        sum += caller->done();
      return sum;
    };
    {
      Sampler sampler{*helper_, victim_};
      Faults chaos{*server_, *proxy_, *helper_, victim_, seed};
      for (std::uint64_t i = 0; i < faults && violations.empty(); ++i) {
        sampler.excuse(true);
        const auto& kind = chaos.one();
        sampler.excuse(kind.unclean);
        const auto ended = Clock::now();
        while (!db.execute("SELECT 1", {}, {.read_only = true}) && Clock::now() - ended < 20s)
          std::this_thread::sleep_for(5ms);  // the pace of one more caller
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now()
                                                                                - ended);
        slowest_recovery = std::max(slowest_recovery, took);
        EXPECT_LE(took, back_within) << "after: " << kind.name;
        const auto enough = done() + 60;
        while (done() < enough && Clock::now() - ended < 5s)
          std::this_thread::yield();
      }
      most = sampler.most();
    }
    for (int caller = 0; caller < callers; ++caller) {
      auto& one = *load[static_cast<std::size_t>(caller)];
      one.stop();
      all.reads.add(one.ledger().reads);
      all.writes.add(one.ledger().writes);
      all.inserts.add(one.ledger().inserts);
      all.batches.add(one.ledger().batches);
      all.streams.add(one.ledger().streams);
      all.longest = std::max(all.longest, one.ledger().longest);
    }
    EXPECT_TRUE(db.close());
    for (int caller = 0; caller < callers; ++caller)
      check_rows(caller, load[static_cast<std::size_t>(caller)]->ledger());
  }
  EXPECT_TRUE(violations.empty()) << violations.text();
  EXPECT_LE(all.longest, in_time);
  EXPECT_LE(most, static_cast<std::int64_t>(limit)) << "more connections than allowed";
  // A cancel may be on its way still.
  const auto closed = Clock::now();
  while (counted() > before && Clock::now() - closed < patience)
    std::this_thread::yield();
  EXPECT_LE(counted(), before) << "descriptors were leaked";
  const auto told = [](const char* what, const Tally& tally) {
    std::cout << what << ": " << tally.confirmed << " confirmed, " << tally.unknown << " unknown, "
              << tally.failed << " failed\n";
  };
  told("reads", all.reads);
  told("updates", all.writes);
  told("inserts", all.inserts);
  told("transactions", all.batches);
  told("streams", all.streams);
  std::cout << faults << " faults, seed " << seed << "; slowest answer " << all.longest.count()
            << " ms; back within " << slowest_recovery.count() << " ms; most connections " << most
            << " of " << limit << "\n";
}

}  // namespace
}  // namespace millrace::actors
