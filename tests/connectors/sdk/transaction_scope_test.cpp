#include "connectors/sdk/mock_database.hpp"
#include "connectors/sdk/transaction.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace millrace::sdk {
namespace {

using testing::ElementsAre;

class TransactionScopeTest : public testing::Test {
protected:
  TransactionScopeTest() {
    EXPECT_TRUE(db->connect());
    mock.forget_calls();
  }

  std::vector<std::string> story() const {
    std::vector<std::string> told;
    for (const auto& call : mock.calls())
      told.push_back(call.operation == "execute" ? call.sql : call.operation);
    return told;
  }

  static Error conflict() {
    Error::Detail detail{.code = "40001"};
    detail.retryable = true;
    return {ErrorKind::transaction, "could not serialize access", detail};
  }

  MockDatabase mock;
  std::shared_ptr<MockConnector> db = mock.connector();
};

TEST_F(TransactionScopeTest, CommitsOnSuccess) {
  const auto total = with_transaction(*db, [](Transaction& tx) {
    EXPECT_TRUE(tx.execute("A"));
    return 7;
  });
  ASSERT_TRUE(total);
  EXPECT_EQ(*total, 7);
  EXPECT_THAT(story(), ElementsAre("begin", "A", "commit"));
}

TEST_F(TransactionScopeTest, RollsBackWhereItsFunctionGivesAnError) {
  mock.fail_next("A", Error{ErrorKind::execution, "no", {.code = "23505"}});
  const auto done = with_transaction(*db, [](Transaction& tx) -> Status {
    if (auto result = tx.execute("A"); !result)
      return result.error();
    return {};
  });
  EXPECT_EQ(done.error().code(), "23505");
  EXPECT_THAT(story(), ElementsAre("begin", "A", "rollback"));
}

TEST_F(TransactionScopeTest, RollsBackWhereItsFunctionThrows) {
  EXPECT_THROW(static_cast<void>(with_transaction(
                 *db, [](Transaction&) -> Status { throw std::runtime_error{"out"}; })),
               std::runtime_error);
  EXPECT_THAT(story(), ElementsAre("begin", "rollback"));
}

TEST_F(TransactionScopeTest, AFailedCommitIsTheResult) {
  mock.fail_operation("commit", conflict());
  const auto done = with_transaction(*db, [](Transaction&) {});
  EXPECT_EQ(done.error().code(), "40001");
}

TEST_F(TransactionScopeTest, NestedScopesAreSavepoints) {
  const auto done = with_transaction(*db, [](Transaction& tx) -> Status {
    EXPECT_TRUE(with_transaction(tx, [](Transaction& inner) {
      EXPECT_EQ(inner.depth(), 2U);
      EXPECT_TRUE(inner.execute("A"));
    }));
    EXPECT_FALSE(with_transaction(tx, [](Transaction& inner) -> Status {
      EXPECT_TRUE(inner.execute("B"));
      return Error{ErrorKind::failed, "not this one"};
    }));
    return {};
  });
  EXPECT_TRUE(done);
  EXPECT_THAT(story(), ElementsAre("begin", "SAVEPOINT \"millrace_1\"", "A",
                                   "RELEASE SAVEPOINT \"millrace_1\"", "SAVEPOINT \"millrace_2\"",
                                   "B", "ROLLBACK TO SAVEPOINT \"millrace_2\"",
                                   "RELEASE SAVEPOINT \"millrace_2\"", "commit"));
}

TEST_F(TransactionScopeTest, TheSiblingRollsBackUnlessToldToCommit) {
  {
    auto tx = Transaction::begin(*db);
    ASSERT_TRUE(tx);
    EXPECT_TRUE(tx->execute("A"));
  }
  EXPECT_THAT(story(), ElementsAre("begin", "A", "rollback"));
  mock.forget_calls();
  {
    auto tx = Transaction::begin(*db);
    ASSERT_TRUE(tx);
    EXPECT_TRUE(tx->commit());
    EXPECT_EQ(tx->commit().error().kind(), ErrorKind::transaction);
    EXPECT_EQ(tx->execute("B").error().kind(), ErrorKind::transaction);
  }
  EXPECT_THAT(story(), ElementsAre("begin", "commit"));
}

TEST_F(TransactionScopeTest, OuterScopesWaitForInnerOnes) {
  auto tx = Transaction::begin(*db);
  ASSERT_TRUE(tx);
  {
    auto inner = tx->begin_nested();
    ASSERT_TRUE(inner);
    EXPECT_EQ(tx->commit().error().code(), "25001");
    EXPECT_TRUE(inner->rollback());
  }
  EXPECT_TRUE(tx->commit());
  EXPECT_EQ(story().back(), "commit");
}

TEST_F(TransactionScopeTest, ASecondTransactionOfAConnectorIsRefused) {
  auto tx = Transaction::begin(*db);
  ASSERT_TRUE(tx);
  EXPECT_EQ(Transaction::begin(*db).error().code(), "25001");
  EXPECT_TRUE(tx->commit());
}

TEST_F(TransactionScopeTest, AConflictRunsTheWholeAgain) {
  mock.fail_next("A", conflict());
  mock.fail_operation("commit", conflict());
  std::vector<std::chrono::milliseconds> waits;
  RetryOptions options{.attempts = 3};
  options.wait = [&](std::chrono::milliseconds wait) { waits.push_back(wait); };
  int runs = 0;
  const auto done = retry_transaction(
    *db,
    [&](Transaction& tx) -> Result<int> {
      ++runs;
      if (auto result = tx.execute("A"); !result)
        return result.error();
      return runs;
    },
    {}, options);
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, 3);
  EXPECT_EQ(waits.size(), 2U);
  EXPECT_THAT(
    story(), ElementsAre("begin", "A", "rollback", "begin", "A", "commit", "begin", "A", "commit"));
}

}  // namespace
}  // namespace millrace::sdk
