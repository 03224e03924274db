#include "actors/db/drivers.hpp"
#include "actors/db/pool_fixture.hpp"
#include "connectors/sdk/json.hpp"

namespace millrace::actors {
namespace {

using sdk::Value;

TEST(PostgresSmokeTest, EndToEnd) {
  auto* server = test::PostgresServer::shared();
  if (server == nullptr)
    GTEST_SKIP() << test::PostgresServer::why_not();
  const auto found = postgres_case(*server);
  PoolFixture pool{found.settings, *found.driver};
  ASSERT_TRUE(pool.run("CREATE TABLE smoke (id INTEGER PRIMARY KEY, name TEXT, ok BOOLEAN)"));
  sdk::Statement insert{.sql = "INSERT INTO smoke VALUES ($1, $2, $3)", .sets = {}};
  for (int i = 0; i < 1000; ++i)
    insert.sets.push_back({Value{i}, Value{"n" + std::to_string(i)}, Value{i % 2 == 0}});
  auto reply = pool.run(insert);
  ASSERT_EQ(reply.results.size(), 1000U);
  for (const auto& r : reply.results)
    ASSERT_TRUE(r) << r.error().to_string();
  auto r = pool.run("SELECT * FROM smoke WHERE id = $1", {Value{7}});
  ASSERT_TRUE(r) << r.error().to_string();
  EXPECT_EQ(
    sdk::to_json(r->to_value()),
    R"({"rows":[{"id":7,"name":"n7","ok":false}],"rowcount":1,)"
    R"("columns":[{"name":"id","type":"int4"},{"name":"name","type":"text"},{"name":"ok","type":"bool"}],)"
    R"("command":"SELECT 1"})");
  auto s = pool.begin();
  ASSERT_TRUE(s);
  EXPECT_TRUE(run(*s, "DELETE FROM smoke"));
  EXPECT_TRUE(commit(*s));
  EXPECT_EQ(pool.rows("SELECT * FROM smoke").size(), 0U);
}

}  // namespace
}  // namespace millrace::actors
