#include "connectors/postgres/client/client_fixture.hpp"
#include "connectors/sdk/json.hpp"

#include <future>
#include <stdexcept>
#include <thread>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Isolation;
using sdk::Status;
using sdk::Transaction;

class ClientTransactionsTest : public ClientTest {
protected:
  std::int64_t stock(PostgresSyncConnector& db, int id = 1) const {
    return number(db.execute("SELECT stock FROM items WHERE id = ?", {id}), "stock");
  }
};

TEST_F(ClientTransactionsTest, CommitsAndRollsBack) {
  auto db = connected();
  auto other = db.session();
  ASSERT_TRUE(db.begin());
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 11 WHERE id = 1"));
  EXPECT_EQ(stock(db), 11);
  EXPECT_EQ(stock(other), 10);
  ASSERT_TRUE(db.commit());
  EXPECT_EQ(stock(other), 11);
  ASSERT_TRUE(db.begin());
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 12 WHERE id = 1"));
  ASSERT_TRUE(db.rollback());
  EXPECT_EQ(stock(db), 11);
}

TEST_F(ClientTransactionsTest, MisuseIsAnErrorOfTheTransaction) {
  auto db = connected();
  EXPECT_EQ(db.commit().error().kind(), ErrorKind::transaction);
  EXPECT_EQ(db.rollback().error().code(), "25P01");
  ASSERT_TRUE(db.begin());
  EXPECT_EQ(db.begin().error().code(), "25001");
  EXPECT_EQ(db.execute("BEGIN").error().code(), "25001");
  EXPECT_EQ(db.execute("COMMIT").error().code(), "2D000");
  EXPECT_TRUE(db.commit());
}

TEST_F(ClientTransactionsTest, AFailedTransactionSaysSoAndCommitsNothing) {
  auto db = connected();
  ASSERT_TRUE(db.begin());
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 99"));
  EXPECT_EQ(db.execute("SELEC").error().code(), "42601");
  EXPECT_EQ(db.execute("SELECT 1").error().code(), "25P02");
  EXPECT_EQ(db.commit().error().kind(), ErrorKind::transaction);
  EXPECT_EQ(stock(db), 10);
  EXPECT_TRUE(eventually([&] { return db.pool_info().checked_out == 0; }));
}

TEST_F(ClientTransactionsTest, ParallelTransactionsDoNotMeet) {
  auto db = connected();
  std::vector<std::future<Status>> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(std::async(std::launch::async, [&db, i] {
      return db.with_transaction([i](Transaction& tx) -> Status {
        for (const auto* sql :
             {"INSERT INTO items VALUES (?, 'a', 0)", "UPDATE items SET stock = id WHERE id = ?"}) {
          if (auto done = tx.execute(sql, {100 + i}); !done)
            return done.error();
        }
        if (i % 2 == 1)
          return sdk::Error{ErrorKind::failed, "not this one"};
        return {};
      });
    }));
  }
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(threads[static_cast<std::size_t>(i)].get().has_value(), i % 2 == 0);
  EXPECT_EQ(
    number(db.execute("SELECT count(*) AS n FROM items WHERE id >= 100 AND stock = id"), "n"), 2);
}

TEST_F(ClientTransactionsTest, ScopesCommitOrRollBackOnEveryExit) {
  auto db = connected();
  EXPECT_TRUE(db.with_transaction(
    [](Transaction& tx) { EXPECT_TRUE(tx.execute("UPDATE items SET stock = 1 WHERE id = 1")); }));
  EXPECT_EQ(stock(db), 1);
  EXPECT_THROW(static_cast<void>(db.with_transaction([](Transaction& tx) -> Status {
                 EXPECT_TRUE(tx.execute("UPDATE items SET stock = 2 WHERE id = 1"));
                 throw std::runtime_error{"out"};
               })),
               std::runtime_error);
  EXPECT_EQ(stock(db), 1);
  EXPECT_FALSE(db.with_transaction([](Transaction& tx) -> Status {
    EXPECT_TRUE(tx.execute("UPDATE items SET stock = 3 WHERE id = 1"));
    return tx.execute("SELEC").error();
  }));
  EXPECT_EQ(stock(db), 1);
}

TEST_F(ClientTransactionsTest, AnInnerScopeThatFailsLeavesTheOuterOneWhole) {
  auto db = connected();
  const auto done = db.with_transaction([](Transaction& tx) -> Status {
    EXPECT_TRUE(tx.execute("UPDATE items SET stock = 1 WHERE id = 1"));
    const auto inner = sdk::with_transaction(tx, [](Transaction& nested) -> Status {
      EXPECT_TRUE(nested.execute("UPDATE items SET stock = 2 WHERE id = 1"));
      auto failed = nested.execute("INSERT INTO items VALUES (1, 'again', 0)");
      return failed.error();
    });
    EXPECT_EQ(inner.error().code(), "23505");
    EXPECT_TRUE(sdk::with_transaction(tx, [](Transaction& nested) {
      EXPECT_TRUE(nested.execute("UPDATE items SET stock = stock + 5 WHERE id = 1"));
    }));
    return {};
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(stock(db), 6);
}

TEST_F(ClientTransactionsTest, TheSiblingRollsBackUnlessToldToCommit) {
  auto db = connected();
  {
    auto tx = Transaction::begin(db);
    ASSERT_TRUE(tx);
    EXPECT_TRUE(tx->execute("UPDATE items SET stock = 1 WHERE id = 1"));
  }
  EXPECT_EQ(stock(db), 10);
  {
    auto tx = Transaction::begin(db);
    ASSERT_TRUE(tx);
    EXPECT_TRUE(tx->execute("UPDATE items SET stock = 1 WHERE id = 1"));
    EXPECT_TRUE(tx->commit());
  }
  EXPECT_EQ(stock(db), 1);
}

TEST_F(ClientTransactionsTest, AConnectorThatGoesRollsBack) {
  auto db = connected();
  {
    auto gone = db.session();
    ASSERT_TRUE(gone.begin());
    ASSERT_TRUE(gone.execute("UPDATE items SET stock = 1 WHERE id = 1"));
  }
  // Waits for the row until it is let go.
  EXPECT_TRUE(db.execute("UPDATE items SET stock = stock + 1 WHERE id = 1"));
  EXPECT_EQ(stock(db), 11);
}

TEST_F(ClientTransactionsTest, OptionsReachTheServer) {
  auto db = connected();
  ASSERT_TRUE(
    db.begin({.isolation = Isolation::serializable, .read_only = true, .deferrable = true}));
  const auto shown = db.execute("SELECT current_setting('transaction_isolation') AS i, "
                                "current_setting('transaction_read_only') AS r, "
                                "current_setting('transaction_deferrable') AS d");
  ASSERT_TRUE(shown);
  EXPECT_EQ(sdk::to_json(shown->rows), R"([{"i":"serializable","r":"on","d":"on"}])");
  EXPECT_EQ(db.execute("DELETE FROM items").error().code(), "25006");
  EXPECT_TRUE(db.rollback());
}

TEST_F(ClientTransactionsTest, AConflictRunsTheWholeTransactionAgain) {
  auto db = connected();
  ASSERT_TRUE(db.execute("UPDATE items SET stock = 0 WHERE id = 1"));
  const auto add_ten_times = [&db]() -> int {
    int done = 0;
    for (int i = 0; i < 10; ++i) {
      const auto status = db.retry_transaction(
        [](Transaction& tx) -> Status {
          auto found = tx.execute("SELECT stock FROM items WHERE id = 1");
          if (!found)
            return found.error();
          const auto next = found->rows.items()[0].find("stock")->as_integer() + 1;
          auto set = tx.execute("UPDATE items SET stock = ? WHERE id = 1", {next});
          if (!set)
            return set.error();
          return {};
        },
        {.isolation = Isolation::serializable},
        {.attempts = 50, .conflict_base = 1ms, .cap = 20ms});
      done += status ? 1 : 0;
    }
    return done;
  };
  auto other = std::async(std::launch::async, add_ten_times);
  const int mine = add_ten_times();
  EXPECT_EQ(stock(db), mine + other.get());
  EXPECT_EQ(stock(db), 20);
}

TEST_F(ClientTransactionsTest, ALostConnectionEndsTheTransactionAndMayRunAgain) {
  auto db = connected();
  auto killer = connected();
  int runs = 0;
  const auto done = db.retry_transaction(
    [&](Transaction& tx) -> Status {
      if (auto set = tx.execute("UPDATE items SET stock = stock + 1 WHERE id = 1"); !set)
        return set.error();
      if (++runs == 1)
        kill_connections(killer);
      if (auto seen = tx.execute("SELECT 1"); !seen)
        return seen.error();
      return {};
    },
    {}, {.attempts = 3, .connection_base = 1ms});
  EXPECT_TRUE(done);
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(stock(db), 11);
}

TEST_F(ClientTransactionsTest, ATransactionHasALimitOfTimeOfItsOwn) {
  auto db = connected();
  sdk::TransactionOptions options;
  options.timeout = 50ms;
  ASSERT_TRUE(db.begin(options));
  const auto late = db.execute("UPDATE items SET stock = 0 FROM pg_sleep(30)");
  EXPECT_EQ(late.error().kind(), ErrorKind::timeout);
  EXPECT_EQ(db.execute("SELECT 1").error().code(), "25P04");
  EXPECT_TRUE(db.rollback());
  EXPECT_EQ(stock(db), 10);
}

TEST_F(ClientTransactionsTest, AStatementsTimeoutEndsWithIt) {
  auto db = connected();
  ASSERT_TRUE(db.begin());
  ASSERT_TRUE(db.execute("SELECT 1", {}, {.timeout = 50ms}));
  EXPECT_TRUE(db.execute("SELECT pg_sleep(0.1)"));
  EXPECT_EQ(db.execute("SELECT pg_sleep(5)", {}, {.timeout = 30ms}).error().kind(),
            ErrorKind::timeout);
  EXPECT_TRUE(db.rollback());
}

}  // namespace
}  // namespace millrace::postgres
