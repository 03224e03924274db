// A server that is away for a while, a server whose disk is full, and what a pool has of memory and
// descriptors after it lost its connections over and over.
//
// The outage is short in the tests; MILLRACE_CHAOS_OUTAGE asks for more seconds, which is what
// scripts/chaos does.
#include "tests/chaos/chaos_fixture.hpp"

#include <atomic>
#include <fstream>
#include <mutex>
#include <random>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <unistd.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using sdk::ErrorKind;
using sdk::Value;

std::chrono::milliseconds since(Clock::time_point moment) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - moment);
}

/// Notes when connections to a proxy were attempted.
class Attempts {
public:
  explicit Attempts(test::FaultProxy& proxy) : proxy_{proxy}, seen_{proxy.accepted()} {
    thread_ = std::thread{[this] { run(); }};
  }

  Attempts(const Attempts&) = delete;
  Attempts& operator=(const Attempts&) = delete;

  ~Attempts() {
    if (thread_.joinable())
      stop();
  }

  /// The moments, in order; one that was not seen alone stands there as often as it happened.
  std::vector<Clock::time_point> stop() {
    stop_ = true;
    thread_.join();
    return moments_;
  }

private:
  void run() {
    while (!stop_) {
      for (const auto now = proxy_.accepted(); seen_ < now; ++seen_)
        moments_.push_back(Clock::now());
      std::this_thread::sleep_for(1ms);  // the pace of looking, no wait for anything
    }
  }

  test::FaultProxy& proxy_;
  std::uint64_t seen_;
  std::atomic<bool> stop_{false};
  std::vector<Clock::time_point> moments_;
  std::thread thread_;
};

class OutageTest : public ChaosFixture {};

TEST_F(OutageTest, IsAnsweredInTimeAndIsOverTwoSecondsAfterTheServerIsBack) {
  const std::chrono::seconds away{from_environment("MILLRACE_CHAOS_OUTAGE", 3)};
  const auto seed = from_environment("MILLRACE_CHAOS_SEED", std::random_device{}());
  SCOPED_TRACE("MILLRACE_CHAOS_SEED=" + std::to_string(seed));
  Violations violations;
  WatchedLog log{violations};
  const auto victim = victim_case();
  PoolFixture pool{victim.settings, *victim.driver, 1, &log};
  Callers load{pool.handle(), violations, callers, seed};
  load.work_on(300, 10s);

  helper_.reset();  // its own connections are no part of it
  ASSERT_TRUE(server_->stop());
  const auto stopped = Clock::now();
  while (!pool.info().down && since(stopped) < 5s)
    std::this_thread::yield();
  EXPECT_LE(since(stopped), 3s) << "until it is known to be down";
  const auto down = Clock::now();
  Attempts attempts{*proxy_};
  const auto asked_before = load.done();
  while (since(stopped) < away)
    std::this_thread::sleep_for(10ms);  // the outage itself
  const auto moments = attempts.stop();
  const auto asked = load.done() - asked_before;

  ASSERT_TRUE(server_->start());
  const auto started = Clock::now();
  while (!pool.run("SELECT 1") && since(started) < 20s)
    std::this_thread::sleep_for(5ms);  // the pace of one more caller
  const auto back = since(started);
  load.work_on(500, 10s);
  load.stop();

  EXPECT_LE(back, recovery);
  EXPECT_GT(asked, 100U) << "who asks meanwhile is told at once that it is down";
  // One attempt for each step of the backoff: half of 100 ms at the least, and, as there is always
  // somebody who asks, once a second later on.
  const auto most = 6 + static_cast<std::size_t>((Clock::now() - down) / 1s);
  EXPECT_LE(moments.size(), most);
  for (std::size_t i = 1; i < moments.size(); ++i)
    EXPECT_GE(moments[i] - moments[i - 1], 40ms) << "attempts " << i - 1 << " and " << i;
  EXPECT_FALSE(moments.empty()) << "it goes on trying";

  const auto direct = postgres_case(*server_);
  helper_ = std::make_unique<PoolFixture>(direct.settings, *direct.driver);
  std::chrono::milliseconds longest{0};
  Tally all;
  for (int caller = 0; caller < callers; ++caller) {
    const auto& ledger = load.ledgers()[static_cast<std::size_t>(caller)];
    check_rows(caller, ledger);
    longest = std::max(longest, ledger.longest);
    for (const auto& tally : {ledger.reads, ledger.writes, ledger.inserts, ledger.transactions,
                              ledger.conflicts, ledger.batches, ledger.copies, ledger.streams})
      all.add(tally);
  }
  EXPECT_LE(longest, 5s) << "an answer took so long";
  EXPECT_TRUE(violations.empty()) << violations.text();
  std::cout << "the server was away for " << away.count() << " s, seed " << seed << ": "
            << moments.size() << " attempts to connect; " << all.confirmed << " confirmed, "
            << all.unknown << " unknown, " << all.failed << " failed; slowest answer "
            << longest.count() << " ms; back within " << back.count() << " ms\n";
}

/// A tablespace that is soon full: a small file system in memory, which takes root to mount.
class FullDiskTest : public ChaosFixture {
protected:
  void SetUp() override {
    // For this process and those that it starts alone: a test that is killed leaves nothing
    // mounted.
    const bool alone = ::unshare(CLONE_NEWNS) == 0
                       && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    ChaosFixture::SetUp();
    if (IsSkipped())
      return;
    ASSERT_TRUE(server_->run_in_folder("mkdir -p full"));
    if (!alone || ::mount("tmpfs", folder().c_str(), "tmpfs", 0, "size=24m,mode=777") != 0) {
      std::cerr << "\n*** SKIPPING the tests of a full disk: a small file system cannot be mounted "
                   "here (it takes root)\n\n";
      GTEST_SKIP() << "a small file system cannot be mounted here";
    }
    mounted_ = true;
    ASSERT_TRUE(server_->run_in_folder("mkdir full/space"));
    make("CREATE TABLESPACE small LOCATION '" + folder() + "/space'");
    make("CREATE TABLE filled (id BIGINT PRIMARY KEY USING INDEX TABLESPACE small, body TEXT) "
         "TABLESPACE small");
    // As it is, and not compressed away.
    make("ALTER TABLE filled ALTER COLUMN body SET STORAGE PLAIN");
    pool_ = std::make_unique<PoolFixture>(case_of_pool().settings, *case_of_pool().driver);
  }

  void TearDown() override {
    pool_.reset();
    helper_.reset();
    if (!mounted_)
      return;
    server_->stop();
    EXPECT_EQ(::umount(folder().c_str()), 0);
  }

  std::string folder() const { return server_->folder() + "/full"; }

  DriverCase case_of_pool() const {
    auto found = postgres_case(*server_);
    found.settings.pool.max_size = 4;
    found.settings.password = sdk::Secret{planted};
    return found;
  }

  void make(const std::string& sql) {
    const auto done = helper_->run(sql);
    EXPECT_TRUE(done) << sql << ": " << done.error().to_string();
  }

  void fill() {
    ASSERT_TRUE(server_->run_in_folder("dd if=/dev/zero of=full/filler bs=64k 2>/dev/null; true"));
  }

  void make_room() { ASSERT_TRUE(server_->run_in_folder("rm full/filler")); }

  std::unique_ptr<PoolFixture> pool_;

private:
  bool mounted_ = false;
};

TEST_F(FullDiskTest, IsAnErrorOfEachStatementAndDoublesNothing) {
  constexpr int writers = 6;
  constexpr int rounds = 20;
  const std::string body(4000, 'x');
  std::atomic<std::int64_t> next = 0;
  std::mutex mutex;
  std::set<std::int64_t> confirmed;
  std::atomic<int> refused = 0;
  const auto insert = [&](int sets) {
    sdk::Statement statement{.sql = "INSERT INTO filled VALUES ($1, $2)", .sets = {}};
    std::vector<std::int64_t> ids;
    for (int i = 0; i < sets; ++i) {
      ids.push_back(next++);
      statement.sets.push_back({Value{ids.back()}, Value{body}});
    }
    const auto reply = pool_->run(std::move(statement));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const auto& result = reply.results[i];
      if (result) {
        const std::lock_guard lock{mutex};
        confirmed.insert(ids[i]);
        continue;
      }
      ++refused;
      EXPECT_EQ(result.error().code(), "53100") << result.error().to_string();
      EXPECT_EQ(result.error().kind(), ErrorKind::execution);
      EXPECT_FALSE(result.error().retryable());
      EXPECT_FALSE(result.error().outcome_unknown());
    }
  };
  const auto load = [&] {
    std::vector<std::thread> threads;
    threads.reserve(writers);
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&] {
        for (int i = 0; i < rounds; ++i)
          insert(i % 2 == 0 ? 1 : 10);
      });
    }
    for (auto& thread : threads)
      thread.join();
  };
  insert(1);
  fill();
  load();
  EXPECT_GT(refused, 50);

  // A transaction that meets it says so once, and nothing of it stays.
  {
    const auto session = pool_->begin();
    ASSERT_TRUE(session);
    ASSERT_TRUE(run(*session, "UPDATE counters SET ghosts = ghosts + 1 WHERE caller = 1"));
    sdk::Error met{ErrorKind::internal, "nothing"};
    for (int i = 0; i < 100 && met.code().empty(); ++i) {
      const auto more = run(*session, "INSERT INTO filled VALUES ($1, $2)",
                            {Value{-1 - i}, Value{body}});
      if (!more)
        met = more.error();
    }
    EXPECT_EQ(met.code(), "53100") << met.to_string();
    EXPECT_FALSE(commit(*session));
  }
  EXPECT_EQ(number("SELECT ghosts FROM counters WHERE caller = 1"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM filled WHERE id < 0"), 0);
  const auto info = pool_->info();
  EXPECT_EQ(info.losses, 0U) << "no connection is at fault";
  EXPECT_FALSE(info.down);
  EXPECT_EQ(pool_->health().status, HealthStatus::healthy);

  make_room();
  const int before = refused;
  load();
  EXPECT_EQ(refused, before) << "there is room again";
  const auto rows = helper_->rows("SELECT id FROM filled ORDER BY id");
  ASSERT_EQ(rows.size(), confirmed.size());
  auto expected = confirmed.begin();
  for (const auto& row : rows.items())
    EXPECT_EQ(row.find("id")->as_integer(), *expected++);
}

std::size_t resident_bytes() {
  std::ifstream in{"/proc/self/statm"};
  std::size_t all = 0;
  std::size_t resident = 0;
  in >> all >> resident;
  return resident * static_cast<std::size_t>(::getpagesize());
}

class EnduranceTest : public ChaosFixture {};

TEST_F(EnduranceTest, NeitherMemoryNorDescriptorsGrowHoweverOftenConnectionsAreLost) {
  Violations violations;
  WatchedLog log{violations};
  auto victim = victim_case();
  victim.settings.pool.min_size = 4;
  PoolFixture pool{victim.settings, *victim.driver, 1, &log};
  const auto counted = [&] { return open_descriptors() - helper_->info().total; };
  const auto round = [&](int number) {
    std::vector<Awaited<ExecuteReply>> replies(60);
    for (std::size_t i = 0; i < replies.size(); ++i)
      pool.handle().execute({.sql = "SELECT $1::int8 AS n, repeat('x', 500) AS text /* "
                                    + std::to_string(number % 50) + " */",
                             .sets = {{Value{static_cast<std::int64_t>(i)}}}},
                            replies[i].callback());
    auto session = pool.begin();
    if (session)
      static_cast<void>(run(*session, "SELECT 1"));
    static_cast<void>(helper_->run(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '"
      + victim_ + "'"));
    for (auto& reply : replies)
      static_cast<void>(reply.get());
  };
  for (int i = 0; i < 60; ++i)
    round(i);
  recover(pool);
  const auto descriptors = counted();
  const auto memory = resident_bytes();
  for (int i = 0; i < 120; ++i)
    round(i);
  recover(pool);
  const auto grown = static_cast<std::int64_t>(resident_bytes())
                     - static_cast<std::int64_t>(memory);
  std::cout << "180 rounds of lost connections: memory grew by " << grown / 1024
            << " KiB in the last 120, descriptors " << descriptors << " and " << counted() << "\n";
  EXPECT_LE(counted(), descriptors + limit) << "a pool has as many as its limit at times";
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(grown, 8 << 20);
#endif
  EXPECT_TRUE(violations.empty()) << violations.text();
}

}  // namespace
}  // namespace millrace::actors
