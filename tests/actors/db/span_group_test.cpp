// Transactions that go out as one group, beside the same ones in a session: outputs, errors and
// tables must be the same; and with backends that die meanwhile, all or nothing of each.
#include "actors/engine.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/json.hpp"
#include "dsl/load.hpp"
#include "dsl/span_steps.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"
#include "tests/dsl/document/fake_connectors.hpp"
#include "tests/support/fake_environment.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <random>
#include <set>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Value;

constexpr const char* head = R"yaml(
servers: {db: {url: "DRIVER"}}
pipelines:
  spans:
    onError: {then: deadLetter}
    deadLetter: {name: dead, type: stdout}
    steps:
      - {name: in, type: stdin}
)yaml";

constexpr const char* flat = R"yaml(
      - {name: begin, type: database, operation: beginSql, server: db}
      - name: first
        type: database
        operation: executeSql
        server: db
        query: "INSERT INTO a (id, n) VALUES (?, ?)"
        parameters: ["$.in.id", "$.in.n"]
      - name: read
        type: database
        operation: executeSql
        server: db
        query: "SELECT n FROM a WHERE id = ?"
        parameters: ["$.in.id"]
        response: {n: "$.rows[0].n"}
      - name: both
        type: database
        operation: executeBatch
        server: db
        statements:
          - {query: "UPDATE a SET n = n + 1 WHERE id = ?", parameters: ["$.in.id"]}
          - {query: "SELECT n FROM a WHERE id = ?", parameters: ["$.in.id"]}
      - name: second
        type: database
        operation: executeSql
        server: db
        query: "INSERT INTO b (id, n) VALUES (?, ?)"
        parameters: ["$.in.id", "number($.in.m)"]
      - {name: commit, type: database, operation: commitSql, server: db}
      - {name: out, type: stdout}
)yaml";

constexpr const char* block = R"yaml(
      - name: tx
        type: database
        operation: transaction
        server: db
        steps:
          - name: one
            type: database
            operation: executeSql
            server: db
            query: "INSERT INTO a (id, n) VALUES (?, ?)"
            parameters: ["$.in.id", "$.in.n"]
          - name: two
            type: database
            operation: executeSql
            server: db
            query: "INSERT INTO b (id, n) VALUES (?, ?)"
            parameters: ["$.in.id", "number($.in.m)"]
      - {name: out, type: stdout}
)yaml";

/// What reached the sinks, as text.
struct Seen {
  std::mutex mutex;
  std::vector<std::string> delivered;
  std::vector<std::string> dead;

  std::size_t count() {
    const std::lock_guard lock{mutex};
    return delivered.size() + dead.size();
  }
};

class Rows final : public sdk::Source {
public:
  explicit Rows(const std::vector<Value>& rows) : rows_{rows} {}

  sdk::Status start(const sdk::SourceContext& context) override {
    const sdk::LanePtr lanes[] = {std::make_shared<sdk::Lane>("a"),
                                  std::make_shared<sdk::Lane>("b")};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      sdk::Intake intake;
      intake.lane = lanes[i % 2];
      intake.records.emplace_back().set(context.output, rows_[i]);
      context.events->emit(std::move(intake));
    }
    context.events->end();
    return {};
  }

  void stop() override {}

private:
  const std::vector<Value>& rows_;
};

/// Keeps slots of what it gets, as JSON.
class Keep final : public sdk::Step {
public:
  Keep(Seen& seen, std::vector<std::string> Seen::*kept, std::vector<sdk::Slot> slots)
    : seen_{seen}, kept_{kept}, slots_{std::move(slots)} {}

  void process(sdk::Batch batch, sdk::StepDone done) override {
    {
      const std::lock_guard lock{seen_.mutex};
      for (const auto& record : batch.records()) {
        std::string line;
        for (const auto slot : slots_)
          line += sdk::to_json(record.get(slot)) + " ";
        (seen_.*kept_).push_back(std::move(line));
      }
    }
    done(std::move(batch), {});
  }

private:
  Seen& seen_;
  std::vector<std::string> Seen::*kept_;
  std::vector<sdk::Slot> slots_;
};

class SpanGroupTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (GetParam() == "sqlite") {
      case_ = sqlite_case(file_.path());
    } else {
      auto* server = test::PostgresServer::shared();
      if (server == nullptr)
        GTEST_SKIP() << test::PostgresServer::why_not();
      case_ = postgres_case(*server);
      case_.settings.application_name = "spans";
    }
    auto helper = case_.settings;
    helper.application_name = "helper";
    helper_ = std::make_unique<PoolFixture>(helper, *case_.driver);
    if (GetParam() == "postgres") {
      EXPECT_TRUE(helper_->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
    }
    make_tables();
  }

  void make_tables() {
    for (const auto* sql : {"DROP TABLE IF EXISTS a", "DROP TABLE IF EXISTS b",
                            "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER)",
                            "CREATE TABLE b (id INTEGER UNIQUE, n INTEGER CHECK (n < 90))"})
      EXPECT_TRUE(helper_->run(sql)) << sql;
    if (GetParam() == "postgres") {  // refused at COMMIT only
      EXPECT_TRUE(
        helper_->run("ALTER TABLE b ADD CONSTRAINT late EXCLUDE (n WITH =) WHERE (n = 77) "
                     "DEFERRABLE INITIALLY DEFERRED"));
    }
  }

  std::shared_ptr<dsl::Program> load(const std::string& steps) {
    test::FakeEnvironment world;
    auto text = head + steps;
    text.replace(text.find("DRIVER"), 6,
                 GetParam() == "sqlite" ? "sqlite:///x.db" : "postgresql://h/x");
    world.files["spans.yaml"] = text;
    auto loaded = dsl::load(
      {.files = {"spans.yaml"}, .connectors = test::fake_connectors(), .environment = &world});
    EXPECT_NE(loaded.program, nullptr) << loaded.diagnostics.to_string();
    // Made by this load, and not shared yet.
    auto program = std::const_pointer_cast<dsl::Program>(loaded.program);
    auto& server = program->servers.front();
    server.connector = GetParam() == "sqlite" ? &sqlite::connector : &postgres::connector;
    server.database = std::make_shared<sdk::DatabaseSettings>(case_.settings);
    auto& pipeline = program->pipelines.front();
    pipeline.source.make = [this] { return std::make_unique<Rows>(rows_); };
    return program;
  }

  static sdk::Slot slot(const dsl::PipelineProgram& pipeline, const std::string& name) {
    const auto found = std::ranges::find(pipeline.slots, name);
    EXPECT_NE(found, pipeline.slots.end()) << name;
    return static_cast<sdk::Slot>(found - pipeline.slots.begin());
  }

  void keep(dsl::PipelineProgram& pipeline, Seen& seen, const std::vector<std::string>& names) {
    std::vector<sdk::Slot> slots;
    slots.reserve(names.size() + 1);
    for (const auto& name : names)
      slots.push_back(slot(pipeline, name));
    auto& out = std::get<dsl::ConnectorCall>(pipeline.steps.steps.back()->body);
    out.make = [&seen, slots] { return std::make_unique<Keep>(seen, &Seen::delivered, slots); };
    auto with_error = slots;
    with_error.push_back(pipeline.steps.steps.front()->errors.error_slot);
    auto& dead = std::get<dsl::ConnectorCall>(pipeline.dead_letter->body);
    pipeline.dead_letter_shape.reset();
    dead.make = [&seen, with_error] {
      return std::make_unique<Keep>(seen, &Seen::dead, with_error);
    };
  }

  void run(const std::shared_ptr<dsl::Program>& program,
           const std::function<void()>& meanwhile = {}) {
    auto reactor = asio::make_reactor({.threads = 1});
    EngineServices services;
    services.reactor = reactor.get();
    {
      Engine engine{{}, services};
      const auto started = engine.start(program);
      ASSERT_TRUE(started) << started.error().to_string();
      while (!engine.wait_for(1ms)) {
        if (meanwhile)
          meanwhile();
      }
      const auto status = engine.status().front();
      EXPECT_EQ(status.state, PipelineState::finished);
      EXPECT_EQ(status.open, 0U);
    }
    reactor->stop();
  }

  std::string tables() {
    return sdk::to_json(helper_->rows("SELECT id, n FROM a ORDER BY id")) + " "
           + sdk::to_json(helper_->rows("SELECT id, n FROM b ORDER BY id"));
  }

  /// An option that stands there is none of the defaults, whatever it says.
  static void need_session(dsl::PipelineProgram& pipeline) {
    auto& body = pipeline.steps.steps.front()->body;
    auto& options = std::holds_alternative<dsl::DatabaseCall>(body)
                      ? std::get<dsl::DatabaseCall>(body).transaction
                      : std::get<dsl::TransactionBlock>(body).options;
    options.retry = dsl::RetryPolicy{
      .attempts = 3, .base = dsl::milliseconds{20}, .cap = dsl::milliseconds{2000}};
    EXPECT_TRUE(dsl::grouped_steps(pipeline, 1).empty());
  }

  /// Both forms over the same rows.
  void expect_same(const std::string& steps, const std::vector<std::string>& names) {
    Seen grouped;
    auto program = load(steps);
    ASSERT_FALSE(dsl::grouped_steps(program->pipelines.front(), 1).empty());
    keep(program->pipelines.front(), grouped, names);
    run(program);
    const auto after_group = tables();
    make_tables();
    Seen single;
    program = load(steps);
    need_session(program->pipelines.front());
    keep(program->pipelines.front(), single, names);
    run(program);
    EXPECT_EQ(after_group, tables());
    for (const auto kept : {&Seen::delivered, &Seen::dead}) {
      std::ranges::sort(grouped.*kept);
      std::ranges::sort(single.*kept);
    }
    EXPECT_EQ(grouped.delivered, single.delivered);
    EXPECT_EQ(grouped.dead, single.dead);
    EXPECT_EQ(grouped.count(), rows_.size());
    EXPECT_GT(grouped.delivered.size(), 20U);
    EXPECT_GT(grouped.dead.size(), 20U);
  }

  /// Some ids come twice, some numbers are too high, some are none.
  void make_rows(std::uint32_t seed) {
    std::mt19937 random{seed};
    for (int i = 0; i < 120; ++i) {
      const auto m = static_cast<std::int64_t>(random() % 100);
      rows_.push_back(
        Value::object({{"id", static_cast<std::int64_t>(random() % 150)},
                       {"n", static_cast<std::int64_t>(random() % 10)},
                       {"m", m % 10 == 5 ? Value{"none"} : Value{m % 8 == 0 ? 77 : m}}}));
    }
    // Of each id one lane only: between lanes there is no order.
    for (std::size_t i = 0; i < rows_.size(); ++i)
      rows_[i].set("id", rows_[i].find("id")->as_integer() * 2 + static_cast<std::int64_t>(i % 2));
    // The late constraint is between all rows, so only one lane may meet it.
    for (std::size_t i = 1; i < rows_.size(); i += 2) {
      if (rows_[i].find("m")->is_integer() && rows_[i].find("m")->as_integer() == 77)
        rows_[i].set("m", 1);
    }
  }

  TemporaryFile file_;
  DriverCase case_;
  std::unique_ptr<PoolFixture> helper_;
  std::vector<Value> rows_;
};

TEST_P(SpanGroupTest, FlatSpansGiveTheSameOutputsErrorsAndTablesInBothForms) {
  constexpr std::uint32_t seed = 7;
  SCOPED_TRACE("seed " + std::to_string(seed));
  make_rows(seed);
  expect_same(flat, {"in", "first", "read", "both", "second"});
}

TEST_P(SpanGroupTest, BlocksGiveTheSameOutputsErrorsAndTablesInBothForms) {
  constexpr std::uint32_t seed = 8;
  SCOPED_TRACE("seed " + std::to_string(seed));
  make_rows(seed);
  expect_same(block, {"in", "tx"});
}

TEST_P(SpanGroupTest, AFlatSpanEndsWhenItsTimeIsOver) {
  constexpr const char* slow = R"yaml(
      - {name: begin, type: database, operation: beginSql, server: db, timeout: 150ms}
      - name: first
        type: database
        operation: executeSql
        server: db
        query: "INSERT INTO a (id, n) VALUES (?, ?)"
        parameters: ["$.in.id", "$.in.n"]
      - name: wait
        type: database
        operation: executeSql
        server: db
        query: >
          WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 2000000000)
          SELECT count(*) AS n FROM c
        parameters: []
      - {name: commit, type: database, operation: commitSql, server: db}
      - {name: out, type: stdout}
)yaml";
  rows_.push_back(Value::object({{"id", 1}, {"n", 1}, {"m", 2}}));
  rows_.push_back(Value::object({{"id", 2}, {"n", 1}, {"m", 2}}));
  Seen seen;
  auto program = load(slow);
  keep(program->pipelines.front(), seen, {"in"});
  const auto began = std::chrono::steady_clock::now();
  run(program);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_TRUE(seen.delivered.empty());
  ASSERT_EQ(seen.dead.size(), 2U);
  for (const auto& line : seen.dead)
    EXPECT_NE(line.find("25P04"), std::string::npos) << line;
  EXPECT_EQ(tables(), "[] []");
}

TEST_P(SpanGroupTest, AllOrNothingOfEachHappensWhoeverDies) {
  if (GetParam() == "sqlite")
    GTEST_SKIP() << "it has no backends";
  constexpr std::uint32_t seed = 9;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  constexpr int count = 1'500;
  for (int i = 0; i < count; ++i)
    rows_.push_back(Value::object({{"id", i}, {"n", 1}, {"m", 2}}));
  Seen seen;
  auto program = load(flat);
  keep(program->pipelines.front(), seen, {"in"});
  std::size_t next = 50;
  int kills = 0;
  run(program, [&] {
    if (seen.count() < next)
      return;
    next = seen.count() + 20 + random() % 100;
    const auto rows = helper_->rows("SELECT count(pg_terminate_backend(pid)) AS n "
                                    "FROM pg_stat_activity WHERE application_name = 'spans'");
    kills += static_cast<int>(rows.items()[0].find("n")->as_integer());
  });
  EXPECT_GT(kills, 5);
  EXPECT_EQ(seen.count(), static_cast<std::size_t>(count));
  const auto torn = helper_->rows("SELECT count(*) AS n FROM a FULL JOIN b USING (id) "
                                  "WHERE a.id IS NULL OR b.id IS NULL");
  EXPECT_EQ(torn.items()[0].find("n")->as_integer(), 0);
  std::set<std::string> there;
  const auto ids = helper_->rows("SELECT id FROM a");
  for (const auto& row : ids.items())
    there.insert(R"({"id":)" + std::to_string(row.find("id")->as_integer()) + R"(,"n":1,"m":2} )");
  for (const auto& line : seen.delivered)
    EXPECT_TRUE(there.contains(line)) << line << "was said to be committed";
  // What is there and was not delivered must have been said to be in doubt.
  for (const auto& line : seen.dead) {
    const auto id = line.substr(0, line.find(" {") + 1);
    if (there.contains(id)) {
      EXPECT_NE(line.find("08007"), std::string::npos) << line;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, SpanGroupTest, testing::Values("sqlite", "postgres"),
                         [](const auto& driver) { return driver.param; });

}  // namespace
}  // namespace millrace::actors
