// Backends that die and a network that stalls: nothing hangs, nothing is doubled, nothing is lost
// in silence.
#include "connectors/postgres/client/client_fixture.hpp"
#include "tests/support/fault_proxy.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Status;
using sdk::Transaction;
using test::Direction;
using test::Fault;

class ClientFaultsTest : public ClientTest {
protected:
  struct Tally {
    std::int64_t confirmed = 0;
    std::int64_t unknown = 0;
    std::int64_t refused = 0;
  };

  static void count(Tally& tally, const Status& status) {
    if (status)
      ++tally.confirmed;
    else if (status.error().outcome_unknown())
      ++tally.unknown;
    else
      ++tally.refused;
  }

  /// Runs `add` on four threads while backends are killed. The counter must agree with what the
  /// callers were told.
  void run(const std::function<Status(PostgresSyncConnector&, int thread)>& add) {
    auto lively = config();
    lively.retry.connection_base = 1ms;
    auto db = connected(lively);
    auto killer = connected(lively);
    ASSERT_TRUE(killer.begin());  // so that it stays on the connection that is spared
    std::vector<std::future<Tally>> threads;
    threads.reserve(4);
    std::atomic<bool> killing{true};
    for (int thread = 0; thread < 4; ++thread) {
      threads.push_back(std::async(std::launch::async, [&db, &add, &killing, thread] {
        Tally tally;
        for (int i = 0; i < 60 || killing; ++i)
          count(tally, add(db, thread));
        return tally;
      }));
    }
    for (int kills = 0; kills < 10; ++kills) {
      kill_connections(killer);
      std::this_thread::sleep_for(15ms);  // the pace of the kills: it waits for nothing
    }
    killing = false;
    Tally all;
    for (auto& thread : threads) {
      const auto told = thread.get();
      all.confirmed += told.confirmed;
      all.unknown += told.unknown;
      all.refused += told.refused;
    }
    ASSERT_TRUE(killer.rollback());
    const auto sum = number(killer.execute("SELECT sum(stock) AS n FROM items"), "n") - 30;
    EXPECT_GE(sum, all.confirmed);
    EXPECT_LE(sum, all.confirmed + all.unknown);
    EXPECT_GE(all.confirmed + all.unknown + all.refused, 240);
    EXPECT_TRUE(eventually([&] { return db.pool_info().checked_out == 0; }));
  }
};

TEST_F(ClientFaultsTest, KilledBackendsDoubleNoWriteAndLoseNoneInSilence) {
  run([](PostgresSyncConnector& db, int thread) -> Status {
    auto done = db.execute("UPDATE items SET stock = stock + 1 WHERE id = ?", {thread % 2 + 1});
    if (!done)
      return done.error();
    return {};
  });
}

TEST_F(ClientFaultsTest, KilledBackendsLeaveTransactionsWholeOrUndone) {
  run([](PostgresSyncConnector& db, int) {
    return db.retry_transaction(
      [](Transaction& tx) -> Status {
        for (const int id : {1, 2}) {
          // Both or none: the sum rises by one.
          auto done = tx.execute("UPDATE items SET stock = stock + ? WHERE id = ?",
                                 {id == 1 ? 3 : -2, id});
          if (!done)
            return done.error();
        }
        return {};
      },
      {}, {.attempts = 5, .connection_base = 1ms});
  });
}

TEST_F(ClientFaultsTest, AStatementsLimitOfTimeHoldsThoughTheNetworkStalls) {
  test::FaultProxy proxy{test::Endpoint{server->host(), server->port()}};
  auto through = config();
  through.host = {"127.0.0.1"};
  through.port = proxy.port();
  auto db = connected(through);
  const char* const write = "UPDATE items SET stock = 0";
  ASSERT_TRUE(db.execute(write));  // the server knows the statement from now on
  proxy.strike({.kind = Fault::Kind::stall, .direction = Direction::to_client});
  const auto late = db.execute(write, {}, {.timeout = 50ms});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind(), ErrorKind::timeout) << late.error().to_string();
  EXPECT_TRUE(late.error().outcome_unknown()) << late.error().to_string();
  // The next one gets a connection that works, at once.
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(db.execute("SELECT 1"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, 1'500ms);
}

}  // namespace
}  // namespace millrace::postgres
