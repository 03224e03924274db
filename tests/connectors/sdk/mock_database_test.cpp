#include "connectors/sdk/mock_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace millrace::sdk {
namespace {

TEST(MockDatabaseTest, RecordsWhatItIsAsked) {
  MockDatabase mock;
  const auto db = mock.connector();
  ASSERT_TRUE(db->connect());
  ASSERT_TRUE(db->begin());
  ASSERT_TRUE(db->execute("UPDATE t SET a = ? WHERE id = ?", {"x", 7}));
  ASSERT_TRUE(db->commit());
  ASSERT_TRUE(db->close());
  std::vector<std::string> operations;
  for (const auto& call : mock.calls())
    operations.push_back(call.operation);
  EXPECT_THAT(operations, testing::ElementsAre("connect", "begin", "execute", "commit", "close"));
  const auto statement = mock.statements().front();
  EXPECT_EQ(statement.sql, "UPDATE t SET a = ? WHERE id = ?");
  EXPECT_EQ(statement.arguments, Value::array({"x", 7}));
  EXPECT_TRUE(statement.in_transaction);
}

TEST(MockDatabaseTest, PlaysAnswersByWhatAStatementHolds) {
  MockDatabase mock;
  mock.answer("FROM customers", {Value::object({{"id", 7}, {"name", "Ada"}})});
  const auto db = mock.connector();
  ASSERT_TRUE(db->connect());
  auto result = db->execute("SELECT * FROM customers WHERE id = ?", {7});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->rowcount, 1);
  EXPECT_EQ(result->fetch_one().find("name")->as_string(), "Ada");
  EXPECT_EQ(*result->sql, "SELECT * FROM customers WHERE id = $1");
  EXPECT_EQ(db->execute("SELECT * FROM orders")->rows.size(), 0U);
}

TEST(MockDatabaseTest, PlaysFaultsAsOftenAsTheyWereAsked) {
  MockDatabase mock;
  mock.fail_next("INSERT", Error{ErrorKind::timeout, "too slow", {.code = "57014"}}, 2);
  mock.fail_operation("commit", Error{ErrorKind::transaction, "conflict", {.code = "40001"}});
  const auto db = mock.connector();
  ASSERT_TRUE(db->connect());
  EXPECT_EQ(db->execute("INSERT INTO t VALUES (1)").error().code(), "57014");
  EXPECT_FALSE(db->execute("INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(db->execute("INSERT INTO t VALUES (1)"));
  ASSERT_TRUE(db->begin());
  EXPECT_EQ(db->commit().error().code(), "40001");
  EXPECT_EQ(db->rollback().error().code(), "25P01");  // it is over
}

TEST(MockDatabaseTest, RefusesWhatARealOneRefuses) {
  MockDatabase mock;
  const auto db = mock.connector();
  EXPECT_EQ(db->execute("SELECT 1").error().kind(), ErrorKind::connection);
  ASSERT_TRUE(db->connect());
  EXPECT_EQ(db->commit().error().kind(), ErrorKind::transaction);
  ASSERT_TRUE(db->begin());
  EXPECT_EQ(db->begin().error().code(), "25001");
  EXPECT_EQ(db->execute("SELECT ?", {1, 2}).error().kind(), ErrorKind::execution);
  EXPECT_TRUE(db->close());
  EXPECT_TRUE(db->close());
  EXPECT_EQ(mock.open_connectors(), 0U);
}

TEST(MockDatabaseTest, AnswersWithCallbacksToo) {
  MockDatabase mock;
  mock.answer("SELECT", {Value::object({{"n", 1}})});
  const auto db = mock.connector();
  std::optional<Result<SqlResult>> answer;
  db->async_connect([](const Status& connected) { EXPECT_TRUE(connected); });
  db->async_execute("SELECT 1", {}, {},
                    [&](Result<SqlResult> result) { answer = std::move(result); });
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->rows.size(), 1U);
}

}  // namespace
}  // namespace millrace::sdk
