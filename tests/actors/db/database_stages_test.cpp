// The stages of database steps on a real SQLite, without their actors: what each does with its
// records, and with the transactions that they carry.
#include "actors/steps/session_attachment.hpp"
#include "actors/steps/statement_maker.hpp"
#include "dsl/load.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"
#include "tests/actors/steps/stage_fixture.hpp"
#include "tests/dsl/document/fake_connectors.hpp"
#include "tests/support/fake_environment.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>

namespace millrace::actors {
namespace {

using sdk::Outcome;
using sdk::Value;
using testing::ElementsAre;
using testing::HasSubstr;

/// Tasks from the pool's threads, run by the test.
class Posts {
public:
  void push(std::function<void()> task) {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(task));
    came_.notify_one();
  }

  /// @returns nothing where none comes in time.
  std::function<void()> take(std::chrono::milliseconds wait) {
    std::unique_lock lock{mutex_};
    if (!came_.wait_for(lock, wait, [&] { return !tasks_.empty(); }))
      return {};
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> tasks_;
};

class DatabaseStagesTest : public StageFixture {
protected:
  DatabaseStagesTest() {
    auto found = sqlite_case(file_.path());
    pool_ = std::make_unique<PoolFixture>(found.settings, *found.driver);
    pool_->rows("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0)");
  }

  ~DatabaseStagesTest() override {
    done_.clear();
    sent_.clear();
    stages_.clear();
    stage_.reset();
    while (auto task = posts_->take(std::chrono::milliseconds{0})) {
    }
  }

  /// Compiles the steps; the record is `$.in`, in slot 0.
  void load(const std::string& steps) {
    test::FakeEnvironment world;
    world.values = {{"TABLE", "pl4nted"}};
    world.files["a.yaml"] = "name: a\nservers:\n  db: {url: \"sqlite:///x.db\"}\n  other: {url: "
                            "\"sqlite:///y.db\"}\nsteps:\n  - {name: in, type: stdin}\n"
                            + steps;
    static const std::array<const sdk::Connector*, 2> catalogue{&test::fakes::standard_in,
                                                                &sqlite::connector};
    auto loaded = dsl::load({.files = {"a.yaml"}, .connectors = catalogue, .environment = &world});
    ASSERT_NE(loaded.program, nullptr) << loaded.diagnostics.to_string();
    program_ = std::move(loaded.program);
    databases_ = {pool_->handle().for_pipelines(), pool_->handle().for_pipelines()};
    env_.program = program_.get();
    env_.pipeline = &program_->pipelines[0];
    env_.databases = &databases_;
    env_.seed = 1;
  }

  const dsl::StepProgram& step(std::size_t i) const {
    return *program_->pipelines[0].steps.steps.at(i);
  }

  /// From here on `process` goes to step `i`.
  void use(std::size_t i) {
    auto made = make_stage(step(i), env_);
    ASSERT_TRUE(made) << made.error().to_string();
    if (stage_)
      stages_.push_back(std::move(stage_));
    start(std::move(*made));
  }

  /// What came back goes to the next step.
  void hand_on(std::size_t i) {
    auto batch = std::move(done_.front().batch);
    done_.pop_front();
    out_.pop_front();
    use(i);
    stage_->process(std::move(batch), next_ticket_++);
  }

  StagePost post() override {
    return [posts = posts_](std::function<void()> task) { posts->push(std::move(task)); };
  }

  template <class Predicate>
  void until(Predicate reached) {
    while (!reached()) {
      auto task = posts_->take(patience);
      ASSERT_TRUE(task) << "nothing came";
      task();
    }
  }

  void until_done(std::size_t count = 1) {
    until([&] { return done_.size() >= count; });
  }

  Value output(std::size_t i) const { return out_.front()->records()[i].get(step(0).output); }

  std::string table() { return sdk::to_json(pool_->rows("SELECT id, n FROM t ORDER BY id")); }

  void all_returned() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (pool_->info().checked_out > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(pool_->info().checked_out, 0U);
  }

  TemporaryFile file_;
  std::unique_ptr<PoolFixture> pool_;
  std::shared_ptr<const dsl::Program> program_;
  std::vector<DatabaseHandle> databases_;
  StageEnv env_;
  std::shared_ptr<Posts> posts_ = std::make_shared<Posts>();
  std::vector<StagePtr> stages_;
};

Value record(std::int64_t id, std::int64_t n = 0) {
  return Value::object({{"id", id}, {"n", n}});
}

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

// --- transaction blocks

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

// --- StatementMaker

class StatementMakerTest : public DatabaseStagesTest {};

TEST_F(StatementMakerTest, SharesOneTextAmongTheRecordsOfADialect) {
  load("  - {name: q, type: database, server: db, operation: executeSql, query: \"SELECT ?, ?\", "
       "parameters: [\"$.in.id\", \"currentdatetime()\"]}\n");
  StatementMaker maker{std::get<dsl::DatabaseCall>(step(0).body), *program_};
  ASSERT_TRUE(maker.prepare());
  EXPECT_EQ(maker.count(), 1U);
  sdk::Record one;
  one.set(0, record(1));
  sdk::Record two;
  two.set(0, record(2));
  const auto first = maker.make(0, 0, one);
  const auto second = maker.make(1, 0, two);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_EQ(first->text, second->text);
  EXPECT_THAT(first->text->sql(), HasSubstr("strftime"));
  EXPECT_THAT(first->parameters, ElementsAre(Value{1}));
  EXPECT_THAT(second->parameters, ElementsAre(Value{2}));
}

TEST_F(StatementMakerTest, KeepsTheTextsOfDynamicSql) {
  load("  - {name: q, type: database, server: db, operation: executeSql, allowDynamicSql: true, "
       "query: {path: \"$.in\"}, parameters: []}\n");
  StatementMaker maker{std::get<dsl::DatabaseCall>(step(0).body), *program_};
  ASSERT_TRUE(maker.prepare());
  sdk::Record one;
  one.set(0, Value{"SELECT 1"});
  const auto* text = maker.make(0, 0, one)->text;
  for (int i = 0; i < 300; ++i) {
    sdk::Record other;
    other.set(0, Value{"SELECT " + std::to_string(1000 + i)});
    ASSERT_TRUE(maker.make(0, 0, other));
    if (i < 100) {
      EXPECT_EQ(maker.make(0, 0, one)->text, text);
    }
  }
  EXPECT_EQ(maker.make(0, 0, one)->text->sql(), "SELECT 1");
}

}  // namespace
}  // namespace millrace::actors
