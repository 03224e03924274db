// Which way each statement goes, and why: in the figures of the pool and in its metrics.
#include "tests/actors/db/postgres_fixture.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace millrace::actors {
namespace {

using sdk::Value;

/// Counts statements by "way: reason".
class Ways : public sdk::MetricVisitor {
public:
  void counter(std::string_view name, std::string_view, Labels labels,
               std::uint64_t value) override {
    if (name != "millrace_pool_statements_by_way_total")
      return;
    ASSERT_EQ(labels.size(), 3U);
    EXPECT_EQ(labels[1].name, "way");
    EXPECT_EQ(labels[2].name, "reason");
    counted[std::string{labels[1].value} + ": " + std::string{labels[2].value}] += value;
    total += value;
  }

  void gauge(std::string_view, std::string_view, Labels, double) override {}

  void histogram(std::string_view, std::string_view, Labels,
                 const sdk::HistogramSnapshot&) override {}

  std::map<std::string, std::uint64_t> counted;
  std::uint64_t total = 0;
};

class StatementWaysTest : public PostgresTest {
protected:
  void prepare() override {
    case_.settings.pool.max_size = 2;
    open();
    ASSERT_TRUE(pool_->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
    ASSERT_TRUE(pool_->run("DROP TABLE IF EXISTS w CASCADE"));
    ASSERT_TRUE(pool_->run("CREATE TABLE w (id INTEGER, v INTEGER)"));
    ASSERT_TRUE(pool_->run("CREATE VIEW ways AS SELECT * FROM w"));
  }

  /// Many callers at once, each with one set, so often that costs are known.
  void load(const std::string& sql, int rounds = 30, bool batching = true) {
    for (int round = 0; round < rounds; ++round) {
      std::vector<Awaited<ExecuteReply>> replies(40);
      for (std::size_t i = 0; i < replies.size(); ++i) {
        sdk::Statement statement{.sql = sql, .sets = {{Value{static_cast<std::int64_t>(i)}}}};
        statement.options.batching = batching;
        pool_->handle().execute(std::move(statement), replies[i].callback());
      }
      for (auto& reply : replies)
        ASSERT_TRUE(reply.get().results.front());
    }
  }

  Ways ways() {
    Ways shown;
    pool_->handle().metrics()->visit(shown);
    return shown;
  }

  StatementInfo of(std::string_view part) {
    for (const auto& statement : pool_->info().by_statement) {
      if (statement.sql.find(part) != std::string::npos)
        return statement;
    }
    ADD_FAILURE() << "nothing is told of " << part;
    return {};
  }
};

TEST_F(StatementWaysTest, AreToldByStatementWithTheReason) {
  load("SELECT v FROM w WHERE id = $1");
  load("UPDATE w SET v = 1 WHERE id = $1");
  load("SELECT v FROM ways WHERE id = $1", 2);
  load("SELECT v FROM w WHERE id = $1 FOR UPDATE", 2);

  const auto read = of("SELECT v FROM w WHERE id = $1");
  EXPECT_GT(read.by_way[2], 0U) << "in set form";
  EXPECT_EQ(read.not_shared, "");
  const auto change = of("UPDATE w");
  EXPECT_GT(change.by_way[1], 0U) << "under a shared sync";
  EXPECT_EQ(change.not_in_set, "UPDATE does not tell which set changed how many rows");
  const auto view = of("FROM ways");
  EXPECT_EQ(view.by_way[0], 80U);
  EXPECT_EQ(view.by_way[1] + view.by_way[2], 0U);
  EXPECT_EQ(view.not_shared, "ways is a view");
  const auto locks = of("FOR UPDATE");
  EXPECT_EQ(locks.not_shared, "it locks rows");

  const auto shown = ways();
  EXPECT_EQ(shown.total, pool_->info().statements);
  EXPECT_GT(shown.counted.at("set form: "), 0U);
  EXPECT_GT(shown.counted.at("sync each: costs are compared"), 0U);
  EXPECT_GT(shown.counted.at("shared sync: its words"), 0U);
  EXPECT_EQ(shown.counted.at("sync each: what it names"), 80U);
  EXPECT_GE(shown.counted.at("sync each: its words"), 80U) << "and what made the tables";
}

TEST_F(StatementWaysTest, AreToldWhereBatchingIsOff) {
  load("SELECT v FROM w WHERE id = $1", 5, false);
  EXPECT_GE(ways().counted.at("sync each: batching is off"), 200U);
  case_.settings.batching = false;
  open();
  load("SELECT v FROM w WHERE id = $1", 5);
  EXPECT_EQ(ways().counted.at("sync each: batching is off"), 200U);
  EXPECT_EQ(ways().counted.count("set form: "), 0U);
}

TEST_F(StatementWaysTest, AreBoundedAndShowNoLiterals) {
  for (int i = 0; i < 300; ++i)
    ASSERT_TRUE(pool_->run("SELECT 'planted-" + std::to_string(i)
                           + "' AS a FROM w WHERE id = " + std::to_string(4711 + i)));
  const auto info = pool_->info();
  EXPECT_LE(info.by_statement.size(), 32U);
  EXPECT_GE(info.by_statement.size(), 16U);
  for (const auto& statement : info.by_statement) {
    EXPECT_EQ(statement.sql.find("planted"), std::string::npos) << statement.sql;
    EXPECT_EQ(statement.sql.find("47"), std::string::npos) << statement.sql;
  }
  EXPECT_LE(ways().counted.size(), 10U);
}

}  // namespace
}  // namespace millrace::actors
