// What database steps do with their records, outside a transaction and in flat spans.
#include "tests/actors/db/database_stages_fixture.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using sdk::Outcome;
using sdk::Value;
using testing::ElementsAre;
using testing::HasSubstr;

// --- outside a transaction

TEST_F(DatabaseStagesTest, AutocommitPutsEachResultBesideItsRecord) {
  load("  - {name: q, type: database, server: db, operation: executeSql, query: \"SELECT ? * 10 AS "
       "x\", parameters: [\"$.in.id\"], response: {x: \"$.rows[0].x\"}}\n");
  use(0);
  process({record(1), record(2), record(3)});
  until_done();
  EXPECT_THAT(failures(), ElementsAre());
  EXPECT_EQ(*output(0).find("rows"), *sdk::parse_json(R"([{"x":10}])"));
  EXPECT_EQ(*output(2).find("rows"), *sdk::parse_json(R"([{"x":30}])"));
}

TEST_F(DatabaseStagesTest, AutocommitFailsTheRecordsThatWereRefusedAndKeepsTheOthers) {
  load("  - {name: q, type: database, server: db, operation: insert, table: t, values: {id: "
       "\"$.in.id\"}}\n");
  use(0);
  process({record(1), record(1), record(2)});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 1U);
  EXPECT_EQ(done_.front().failures[0].index, 1U);
  EXPECT_EQ(done_.front().failures[0].error.code(), "23505");
  EXPECT_EQ(done_.front().batch.size(), 3U);
  EXPECT_EQ(table(), R"([{"id":1,"n":0},{"id":2,"n":0}])");
}

TEST_F(DatabaseStagesTest, AutocommitAsksNothingForARecordWhoseParametersFail) {
  load("  - {name: q, type: database, server: db, operation: insert, table: t, values: {id: "
       "\"number($.in)\"}}\n");
  use(0);
  process({"x", "7", "y"});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 2U);
  EXPECT_EQ(done_.front().failures[0].index, 0U);
  EXPECT_EQ(done_.front().failures[1].index, 2U);
  EXPECT_EQ(table(), R"([{"id":7,"n":0}])");
}

TEST_F(DatabaseStagesTest, AutocommitAsksTheServerThatTheRecordNames) {
  load("  - {name: q, type: database, server: \"$.in\", operation: executeSql, query: SELECT 1, "
       "parameters: []}\n");
  use(0);
  process({"db", "nowhere", "other"});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 1U);
  EXPECT_EQ(done_.front().failures[0].index, 1U);
  EXPECT_EQ(done_.front().failures[0].error.kind(), sdk::ErrorKind::expression);
}

TEST_F(DatabaseStagesTest, AutocommitRunsTheSqlOfEachRecordWhereThatIsAllowed) {
  load("  - {name: q, type: database, server: db, operation: executeSql, allowDynamicSql: true, "
       "query: {path: \"$.in.sql\"}, parameters: [\"$.in.id\"]}\n");
  use(0);
  process({*sdk::parse_json(R"j({"sql":"INSERT INTO t (id) VALUES (?)","id":1})j"),
           *sdk::parse_json(R"j({"sql":"DELETE FROM t WHERE id <> ?","id":1})j"),
           *sdk::parse_json(R"j({"sql":"SELECT ? WHERE 'open","id":1})j"),
           *sdk::parse_json(R"j({"sql":5,"id":1})j")});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 2U);
  EXPECT_EQ(done_.front().failures[0].index, 2U);
  EXPECT_EQ(done_.front().failures[1].error.kind(), sdk::ErrorKind::data);
}

TEST_F(DatabaseStagesTest, SaysNothingOfTheTextOfASecretStatement) {
  load("  - {name: q, type: database, server: db, operation: executeSql, query: \"SELECT * FROM "
       "${ENV:TABLE}\", parameters: []}\n");
  use(0);
  process({1});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 1U);
  EXPECT_EQ(done_.front().failures[0].error.code(), "42P01");
  EXPECT_THAT(done_.front().failures[0].error.to_string(), testing::Not(HasSubstr("pl4nted")));
}

TEST_F(DatabaseStagesTest, ExecuteBatchIsAllOrNothingForEachRecord) {
  load(
    "  - {name: q, type: database, server: db, operation: executeBatch, statements: [{query: "
    "\"INSERT INTO t (id) VALUES (?)\", parameters: [\"$.in.id\"]}, {query: \"INSERT INTO t (id) "
    "VALUES (?)\", parameters: [\"$.in.n\"]}]}\n");
  use(0);
  process({record(1, 2), record(3, 1), record(4, 5)});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 1U);
  EXPECT_EQ(done_.front().failures[0].index, 1U);
  EXPECT_EQ(done_.front().failures[0].error.code(), "23505");
  EXPECT_EQ(output(0).find("rowcount")->as_integer(), 2);
  EXPECT_EQ(output(0).find("results")->size(), 2U);
  EXPECT_EQ(table(), R"([{"id":1,"n":0},{"id":2,"n":0},{"id":4,"n":0},{"id":5,"n":0}])");
}

TEST_F(DatabaseStagesTest, DbConnectionChecksTheServer) {
  load("  - {name: q, type: database, server: db, operation: dbConnection}\n");
  use(0);
  process({1});
  until_done();
  EXPECT_THAT(failures(), ElementsAre());
}

// --- flat spans

// Another isolation than the server's keeps it from going out as one group.
constexpr const char* flat_span =
  "  - {name: begin, type: database, server: db, operation: beginSql, isolation: "
  "serializable}\n"
  "  - {name: q, type: database, server: db, operation: insert, table: t, values: {id: "
  "\"$.in.id\"}}\n"
  "  - {name: end, type: database, server: db, operation: commitSql}\n";

TEST_F(DatabaseStagesTest, ASpanBeginsWorksAndCommitsInOneTransaction) {
  load(flat_span);
  use(0);
  process({record(1)});
  until_done();
  EXPECT_NE(session_of(done_.front().batch[0], 1), nullptr);
  hand_on(1);
  until_done();
  EXPECT_EQ(pool_->rows("SELECT id FROM t").size(), 0U) << "not committed yet";
  hand_on(2);
  until_done();
  EXPECT_THAT(failures(), ElementsAre());
  EXPECT_EQ(session_of(done_.front().batch[0], 1), nullptr);
  EXPECT_EQ(table(), R"([{"id":1,"n":0}])");
  all_returned();
}

TEST_F(DatabaseStagesTest, ASpanRollsBackWhatALeavingRecordHadDone) {
  load(flat_span);
  use(0);
  process({record(1)});
  until_done();
  hand_on(1);
  until_done();
  done_.clear();  // the record goes, however
  out_.clear();
  all_returned();
  EXPECT_EQ(table(), "[]");
}

TEST_F(DatabaseStagesTest, ASpanLetsOneRecordOfALaneInAtATime) {
  load(flat_span);
  use(0);
  process({record(1)});
  process({record(2)});
  until_done();
  EXPECT_EQ(pool_->info().checked_out, 1U);
  auto first = std::move(done_.front());
  done_.pop_front();
  out_.pop_front();
  EXPECT_TRUE(done_.empty());
  first.batch.settle(Outcome::filtered);
  first.batch = {};
  until_done();
  EXPECT_EQ(done_.front().batch[0].get(0), record(2));
}

TEST_F(DatabaseStagesTest, ASpanFailsARecordThatCarriesNoTransaction) {
  load(flat_span);
  use(1);
  process({record(1)});
  until_done();
  ASSERT_EQ(done_.front().failures.size(), 1U);
  EXPECT_EQ(done_.front().failures[0].error.kind(), sdk::ErrorKind::transaction);
  EXPECT_THAT(done_.front().failures[0].error.hint(), HasSubstr("when"));
}

}  // namespace
}  // namespace millrace::actors
