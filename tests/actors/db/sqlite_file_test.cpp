// Files that are no database, cannot be written or are locked: errors that say what to do.
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"

#include <fstream>

namespace millrace::actors {
namespace {

using sdk::ErrorKind;

sdk::Error error_of(const DriverCase& found, const std::string& sql) {
  PoolFixture pool{found.settings, *found.driver};
  auto result = pool.run(sql);
  EXPECT_FALSE(result);
  return result ? sdk::Error{ErrorKind::internal, "it worked"} : result.error();
}

TEST(SqliteFileTest, SaysThatAFileIsNoDatabase) {
  const TemporaryFile file;
  std::ofstream{file.path()} << std::string(5000, 'x');

  const auto error = error_of(sqlite_case(file.path()), "SELECT 1");
  EXPECT_EQ(error.kind(), ErrorKind::connection);
  EXPECT_FALSE(error.retryable());
  EXPECT_NE(error.message().find(file.path()), std::string::npos);
  EXPECT_NE(error.hint().find("no SQLite database"), std::string::npos);
}

TEST(SqliteFileTest, SaysThatAFolderIsMissing) {
  const auto error = error_of(sqlite_case("/nowhere/at/all.db"), "SELECT 1");
  EXPECT_EQ(error.kind(), ErrorKind::connection);
  EXPECT_NE(error.hint().find("folder"), std::string::npos);
}

TEST(SqliteFileTest, RefusesToWriteWhereItWasOpenedForReading) {
  const TemporaryFile file;
  auto found = sqlite_case(file.path());
  {
    PoolFixture pool{found.settings, *found.driver};
    ASSERT_TRUE(pool.run("CREATE TABLE t (id INTEGER)"));
  }
  found.settings.parameters = {{"mode", "ro"}};

  EXPECT_EQ(error_of(found, "INSERT INTO t VALUES (1)").code(), "25006");
}

TEST(SqliteFileTest, SaysThatSomebodyElseHoldsTheLock) {
  const TemporaryFile file;
  auto found = sqlite_case(file.path());
  found.settings.parameters = {{"busy_timeout", "20"}};
  PoolFixture holder{found.settings, *found.driver};
  ASSERT_TRUE(holder.run("CREATE TABLE t (id INTEGER)"));
  const auto session = holder.begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(*session, "INSERT INTO t VALUES (1)"));

  const auto error = error_of(found, "INSERT INTO t VALUES (2)");
  EXPECT_EQ(error.kind(), ErrorKind::timeout);
  EXPECT_EQ(error.code(), "55P03");
  EXPECT_NE(error.hint().find("lock"), std::string::npos);
  PoolFixture reader{found.settings, *found.driver};
  EXPECT_EQ(reader.rows("SELECT * FROM t").size(), 0U) << "readers go on beside the writer";
}

TEST(SqliteFileTest, RefusesSettingsThatItDoesNotKnow) {
  auto found = sqlite_case(":memory:");
  found.settings.parameters = {{"sslmode", "require"}};
  const auto checked = found.driver->check(found.settings);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().hint().find("busy_timeout"), std::string::npos);
}

TEST(SqliteFileTest, KeepsADatabaseInMemoryWhileThePoolIsOpen) {
  auto found = sqlite_case(":memory:");
  found.settings.pool.max_idle = std::chrono::milliseconds{1};
  found.settings.pool.max_lifetime = std::chrono::milliseconds{1};
  PoolFixture pool{found.settings, *found.driver};
  ASSERT_TRUE(pool.run("CREATE TABLE t (id INTEGER)"));
  {
    const auto session = pool.begin();
    ASSERT_TRUE(run(*session, "INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(commit(*session));
  }
  EXPECT_EQ(pool.rows("SELECT * FROM t").size(), 1U);
  EXPECT_EQ(pool.info().total, 1U);
}

}  // namespace
}  // namespace millrace::actors
