// Transaction blocks: what of their records is committed, and what undone.
#include "tests/actors/db/database_stages_fixture.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using sdk::Outcome;
using sdk::Value;
using testing::ElementsAre;

// With a `retry` it takes a session, as all do that cannot go out as one group.
std::string block(const std::string& options) {
  return "  - name: block\n    type: database\n    operation: transaction\n    server: db\n"
         + options
         + (options.find("retry") == std::string::npos ? "    retry: {attempts: 3}\n" : "")
         + "    steps:\n      - {name: q, type: database, server: db, operation: insert, table: t, "
           "values: {id: \"$.in.id\"}}\n";
}

class TransactionStageTest : public DatabaseStagesTest {
protected:
  /// Does what the nested step would do with each record of what was sent in.
  void insert(Sent& sent) {
    for (auto& one : sent.batch.records()) {
      const auto id = *one.get(0).find("id");
      const auto result = run(*session_of(one, 1), "INSERT INTO t (id) VALUES ($1)", {id});
      EXPECT_TRUE(result) << result.error().to_string();
      one.set(step(0).output, Value{id});
    }
  }

  Sent sent_in() {
    until([&] { return !sent_.empty(); });
    return take_sent();
  }
};

TEST_F(TransactionStageTest, CommitsWhatCameThroughTheNestedSteps) {
  load(block(""));
  use(0);
  process({record(1)});
  auto sent = sent_in();
  insert(sent);
  send_back(std::move(sent));
  until_done();
  EXPECT_THAT(failures(), ElementsAre());
  EXPECT_EQ(table(), R"([{"id":1,"n":0}])");
  settle_out(Outcome::delivered);
  EXPECT_EQ(outcome(0), "delivered");
  all_returned();
}

TEST_F(TransactionStageTest, RollsBackWhereARecordWasDroppedOnTheWay) {
  load(block(""));
  use(0);
  process({record(1)});
  auto sent = sent_in();
  insert(sent);
  sent.batch.settle(Outcome::filtered);
  until_done();
  EXPECT_TRUE(done_.front().batch.empty());
  EXPECT_EQ(table(), "[]");
  EXPECT_EQ(outcome(0), "filtered");
  all_returned();
}

TEST_F(TransactionStageTest, RunsABatchRecordByRecordWhereOneLeftIt) {
  load(block("    per: batch\n"));
  use(0);
  process({record(1), record(2)});
  auto both = sent_in();
  ASSERT_EQ(both.batch.size(), 2U);
  insert(both);
  both.batch.split(1).settle(Outcome::filtered);
  send_back(std::move(both));
  auto first = sent_in();
  ASSERT_EQ(first.batch.size(), 1U);
  EXPECT_EQ(table(), "[]");
  first.batch.settle(Outcome::filtered);
  auto second = sent_in();
  EXPECT_EQ(second.batch[0].get(0), record(2));
  insert(second);
  send_back(std::move(second));
  until_done();
  EXPECT_EQ(table(), R"([{"id":2,"n":0}])");
  EXPECT_EQ(outcome(0), "filtered");
}

TEST_F(TransactionStageTest, GivesTheRecordBackAsFailedWhenItsTimeIsUp) {
  load(block("    timeout: 5s\n"));
  use(0);
  process({record(1)});
  auto sent = sent_in();
  insert(sent);
  pass(std::chrono::seconds{5});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 1U);
  EXPECT_EQ(done_.front().failures[0].error.kind(), sdk::ErrorKind::timeout);
  sent.batch = {};
  all_returned();
  EXPECT_EQ(table(), "[]");
}

TEST_F(TransactionStageTest, GivesTheTicketBackEmptyWhenAPartWasLost) {
  load(block(""));
  use(0);
  process({record(1)});
  {
    auto sent = sent_in();
    insert(sent);
  }  // its actor died
  until_done();
  EXPECT_TRUE(done_.front().batch.empty());
  EXPECT_EQ(lane_->attempt(), 1U);
  all_returned();
  EXPECT_EQ(table(), "[]");
}

}  // namespace
}  // namespace millrace::actors
