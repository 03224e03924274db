// Batching changes no answer: the same statements and parameter sets, good and poisoned, give the
// same answers and the same tables with it and without it.
#include "connectors/sdk/json.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/equivalence_corpus.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <algorithm>
#include <random>
#include <set>

namespace millrace::actors {
namespace {

using equivalence::below;
using equivalence::Case;
using equivalence::cases;
using equivalence::Random;
using equivalence::schema;
using equivalence::tables;
using sdk::Value;

class EquivalenceTest : public testing::Test {
protected:
  void SetUp() override {
    server_ = test::PostgresServer::shared();
    if (server_ == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    with_ = make("with", true);
    without_ = make("without", false);
  }

  std::unique_ptr<PoolFixture> make(const std::string& name, bool batching) {
    auto found = postgres_case(*server_);
    const auto space = test_schema() + "_" + name;
    found.settings.parameters = {{"options", "-c search_path=" + space}};
    found.settings.batching = batching;
    found.settings.pool.max_size = 1;  // so that what waits keeps its order
    auto pool = std::make_unique<PoolFixture>(found.settings, *found.driver);
    EXPECT_TRUE(pool->run("DROP SCHEMA IF EXISTS " + space + " CASCADE"));
    EXPECT_TRUE(pool->run("CREATE SCHEMA " + space));
    for (const auto& sql : schema) {
      const auto done = pool->run(sql);
      EXPECT_TRUE(done) << sql << ": " << done.error().to_string();
    }
    return pool;
  }

  static std::string to_text(const sdk::Result<sdk::SqlResult>& result) {
    if (!result)
      return result.error().to_string() + " [" + result.error().constraint() + "]";
    auto sorted = result->to_value();
    // Rows that nobody ordered come as they lie, and what failed leaves gaps.
    if (result->sql && result->sql->find("ORDER BY") == std::string::npos) {
      std::vector<std::string> rows;
      for (const auto& row : result->rows.items())
        rows.push_back(sdk::to_json(row));
      std::ranges::sort(rows);
      auto texts = Value::array();
      for (const auto& row : rows)
        texts.push_back(Value{row});
      sorted.set("rows", texts);
    }
    return sdk::to_json(sorted) + (result->sql ? *result->sql : "");
  }

  /// Each set by a caller of its own, all at the same time.
  static std::vector<std::string> run(PoolFixture& pool, const std::string& sql,
                                      const std::vector<sdk::Parameters>& sets) {
    std::vector<Awaited<ExecuteReply>> replies(sets.size());
    for (std::size_t i = 0; i < sets.size(); ++i) {
      sdk::Statement statement{.sql = sql, .sets = {sets[i]}};
      statement.options.order_key = 7;  // else nobody says which of two writes is the first
      pool.handle().execute(std::move(statement), replies[i].callback());
    }
    std::vector<std::string> texts;
    texts.reserve(replies.size());
    for (auto& reply : replies)
      texts.push_back(to_text(reply.get().results.front()));
    return texts;
  }

  /// All sets in one message.
  static std::vector<std::string> run_together(PoolFixture& pool, const std::string& sql,
                                               const std::vector<sdk::Parameters>& sets) {
    std::vector<std::string> texts;
    for (const auto& result : pool.run(sdk::Statement{.sql = sql, .sets = sets}).results)
      texts.push_back(to_text(result));
    return texts;
  }

  void compare(const Case& one, Random& random, std::size_t count) {
    std::vector<sdk::Parameters> sets;
    // Poison is rare in some rounds, and common in others.
    const bool mild = below(random, 2) == 0;
    sdk::Parameters plain;
    for (std::size_t i = 0; i < count; ++i) {
      if (!mild || plain.empty() || below(random, 20) == 0) {
        sdk::Parameters set;
        for (const auto make : one.parameters)
          set.push_back(make(random));
        if (plain.empty())
          plain = set;
        sets.push_back(std::move(set));
      } else {
        sets.push_back(plain);
        if (plain.front().is_integer())
          sets.back().front() = Value{static_cast<std::int64_t>(i % 50)};
      }
    }
    const bool together = below(random, 2) == 0;
    const auto go = together ? &run_together : &run;
    const auto expected = go(*without_, one.sql, sets);
    const auto found = go(*with_, one.sql, sets);
    for (std::size_t i = 0; i < count; ++i)
      ASSERT_EQ(found[i], expected[i])
        << one.sql << " set " << i << " of " << count << ", together: " << together;
    for (const auto& table : tables)
      ASSERT_EQ(sdk::to_json(with_->rows(table)), sdk::to_json(without_->rows(table)))
        << table << " after " << one.sql;
  }

  test::PostgresServer* server_ = nullptr;
  std::unique_ptr<PoolFixture> with_;
  std::unique_ptr<PoolFixture> without_;
};

TEST_F(EquivalenceTest, GivesTheSameAnswersAndTablesWithBatchingAndWithout) {
  const char* given = std::getenv("MILLRACE_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10)
                                              : std::random_device{}();
  SCOPED_TRACE("MILLRACE_TEST_SEED=" + std::to_string(seed));
  Random random{seed};
  const char* rounds = std::getenv("MILLRACE_TEST_ROUNDS");
  for (int round = rounds != nullptr ? std::atoi(rounds) : 2; round > 0; --round) {
    for (const auto& one : cases) {
      for (const std::size_t count : {3, 40, 90}) {
        compare(one, random, count);
        if (HasFatalFailure())
          return;
      }
    }
  }
  const auto ways = with_->info().by_way;
  EXPECT_GT(ways[1], 0U) << "under a shared sync";
  EXPECT_GT(ways[2], 0U) << "in set form";
  const auto none = without_->info().by_way;
  EXPECT_EQ(none[1] + none[2], 0U);
}

TEST_F(EquivalenceTest, GivesEachCallerAValueOfItsOwnWhereItDiffersEachTime) {
  for (const std::string sql : {"SELECT (SELECT gen_random_uuid())::text AS v, $1::int AS n",
                                "SELECT random()::text AS v, $1::int AS n",
                                "SELECT nextval('counted_s_seq')::text AS v, $1::int AS n"}) {
    std::vector<sdk::Parameters> sets;
    sets.reserve(100);
    for (int i = 0; i < 100; ++i)
      sets.push_back({Value{i}});
    std::set<std::string> seen;
    for (const auto& text : run(*with_, sql, sets))
      seen.insert(text);
    EXPECT_EQ(seen.size(), 100U) << sql << *seen.begin();
  }
}

TEST_F(EquivalenceTest, LetsNoSettingOfACallerReachItsNeighbours) {
  const std::string sql = "SELECT set_config('app.tenant', $1::text, true) AS set, "
                          "current_setting('app.tenant', true) AS was";
  std::vector<sdk::Parameters> sets;
  sets.reserve(60);
  for (int i = 0; i < 60; ++i)
    sets.push_back({Value{std::to_string(i)}});
  EXPECT_EQ(run(*with_, sql, sets), run(*without_, sql, sets));
}

// Rows are hidden from all but superusers; here nobody is one.
TEST_F(EquivalenceTest, HidesTheRowsThatRowSecurityHidesFromEachCaller) {
  const auto role = "limited_" + std::to_string(getpid());
  static_cast<void>(without_->run("DROP OWNED BY " + role));
  static_cast<void>(without_->run("DROP ROLE IF EXISTS " + role));
  const auto space = test_schema() + "_with";
  for (const std::string& sql :
       {"CREATE ROLE " + role, "GRANT USAGE ON SCHEMA " + space + " TO " + role,
        "GRANT ALL ON ALL TABLES IN SCHEMA " + space + " TO " + role}) {
    const auto done = with_->run(sql);
    ASSERT_TRUE(done) << sql << ": " << done.error().to_string();
  }
  auto limited = postgres_case(*server_);
  std::vector<std::vector<std::string>> found;
  for (const bool batching : {true, false}) {
    limited.settings.parameters = {
      {"options", "-c search_path=" + space + " -c role=" + role + " -c app.me=2"}};
    limited.settings.batching = batching;
    limited.settings.pool.max_size = 1;
    PoolFixture pool{limited.settings, *limited.driver};
    std::vector<sdk::Parameters> sets;
    for (int i = 0; i < 60; ++i)
      sets.push_back({Value{i % 35}});
    std::vector<std::string> texts;
    for (const std::string sql :
         {"SELECT name FROM owned WHERE id = $1",
          "SELECT set_config('app.me', ($1::int % 3)::text, true), (SELECT count(*) FROM owned)",
          "SELECT count(*) AS n FROM owned WHERE id > $1"}) {
      for (auto& text : run(pool, sql, sets))
        texts.push_back(std::move(text));
    }
    found.push_back(std::move(texts));
    const auto info = pool.info();
    EXPECT_EQ(info.by_way[1] + info.by_way[2], 0U);
  }
  EXPECT_EQ(found[0], found[1]);
  const auto told = [&](std::string_view name) {
    return std::ranges::any_of(
      found[0], [&](const auto& text) { return text.find(name) != std::string::npos; });
  };
  EXPECT_TRUE(told("n2\\\"")) << "its own rows are there";
  EXPECT_FALSE(told("n3\\\"")) << "those of others are not";
  ASSERT_TRUE(with_->run("DROP OWNED BY " + role));
  ASSERT_TRUE(with_->run("DROP ROLE " + role));
}

}  // namespace
}  // namespace millrace::actors
