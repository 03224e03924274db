// Transactions that go out as one group, beside the same ones in a session: outputs, errors and
// tables must be the same; and with backends that die meanwhile, all or nothing of each.
#include "dsl/span_steps.hpp"
#include "tests/actors/db/span_group_fixture.hpp"

#include <set>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Value;

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

/// The same spans in both forms.
class SpanFormsTest : public SpanGroupTest {
protected:
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
};

TEST_P(SpanFormsTest, FlatSpansGiveTheSameOutputsErrorsAndTablesInBothForms) {
  constexpr std::uint32_t seed = 7;
  SCOPED_TRACE("seed " + std::to_string(seed));
  make_rows(seed);
  expect_same(flat, {"in", "first", "read", "both", "second"});
}

TEST_P(SpanFormsTest, BlocksGiveTheSameOutputsErrorsAndTablesInBothForms) {
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

const auto drivers = testing::Values("sqlite", "postgres");
const auto name_of = [](const auto& driver) { return driver.param; };

INSTANTIATE_TEST_SUITE_P(Drivers, SpanGroupTest, drivers, name_of);
INSTANTIATE_TEST_SUITE_P(Drivers, SpanFormsTest, drivers, name_of);

}  // namespace
}  // namespace millrace::actors
