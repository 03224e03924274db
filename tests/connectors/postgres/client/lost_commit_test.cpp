// A COMMIT of the library was sent and its answer is lost: what became of it is looked up.
#include "connectors/postgres/client/client_fixture.hpp"
#include "tests/support/slow_commit.hpp"

#include <future>

namespace millrace::postgres {
namespace {

using sdk::ErrorKind;
using test::Direction;
using test::Fault;

/// A table whose COMMITs take a while, behind a proxy.
class ClientLostCommitTest : public ClientTest {
protected:
  void SetUp() override {
    ClientTest::SetUp();
    if (IsSkipped() || HasFatalFailure())
      return;
    helper_ = std::make_unique<PostgresSyncConnector>(config());
    ASSERT_TRUE(helper_->connect());
    for (const auto* sql : test::slow_commit_schema)
      ASSERT_TRUE(helper_->execute(sql)) << sql;
    proxy_ = std::make_unique<test::FaultProxy>(test::Endpoint{server->host(), server->port()});
    auto through = config();
    through.host = {"127.0.0.1"};
    through.port = proxy_->port();
    through.application_name = victim();
    through.pool.max_size = 2;
    db_ = std::make_unique<PostgresSyncConnector>(through);
    ASSERT_TRUE(db_->connect());
  }

  static std::string victim() { return "victim_" + std::to_string(getpid()); }

  void insert(double seconds) {
    ASSERT_TRUE(db_->begin());
    ASSERT_TRUE(db_->execute("INSERT INTO slow VALUES (?)", {seconds}));
  }

  std::int64_t rows() { return number(helper_->execute("SELECT count(*) AS n FROM slow"), "n"); }

  std::unique_ptr<PostgresSyncConnector> helper_;
  std::unique_ptr<test::FaultProxy> proxy_;
  std::unique_ptr<PostgresSyncConnector> db_;
};

TEST_F(ClientLostCommitTest, FindsOutThatItHappened) {
  insert(0.3);
  proxy_->strike(test::cut_behind_number());
  const auto committed = db_->commit();
  EXPECT_TRUE(committed) << committed.error().to_string();
  EXPECT_EQ(proxy_->struck(), 1U);
  EXPECT_EQ(rows(), 1);
  EXPECT_TRUE(db_->execute("SELECT 1"));
}

TEST_F(ClientLostCommitTest, FindsOutThatItDidNotHappen) {
  insert(30);
  auto committing = std::async(std::launch::async, [&] { return db_->commit(); });
  ASSERT_TRUE(eventually([&] {
    return number(helper_->execute("SELECT count(pg_terminate_backend(pid)) AS n FROM "
                                   "pg_stat_activity WHERE application_name = ? AND "
                                   "wait_event = 'PgSleep'",
                                   {victim()}),
                  "n")
           == 1;
  }));
  const auto committed = committing.get();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().kind(), ErrorKind::connection);
  EXPECT_FALSE(committed.error().outcome_unknown()) << committed.error().to_string();
  EXPECT_TRUE(committed.error().retryable());
  EXPECT_EQ(rows(), 0);
}

TEST_F(ClientLostCommitTest, SaysThatItDoesNotKnowWhereNothingTellsTheTransaction) {
  insert(0);
  ASSERT_TRUE(db_->commit()) << "COMMIT is prepared now, and leaves with what goes ahead";
  insert(0);
  proxy_->strike({.kind = Fault::Kind::cut, .direction = Direction::to_server, .after = 1});
  const auto committed = db_->commit();
  ASSERT_FALSE(committed);
  EXPECT_TRUE(committed.error().outcome_unknown()) << committed.error().to_string();
  EXPECT_EQ(committed.error().code(), "08007");
}

}  // namespace
}  // namespace millrace::postgres
