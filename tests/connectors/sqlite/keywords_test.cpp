#include "connectors/sqlite/errors.hpp"
#include "connectors/sqlite/keywords.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

namespace millrace::sqlite {
namespace {

TEST(KeywordsTest, FindsWhatAStatementDoes) {
  EXPECT_EQ(main_keyword(" /* c */ -- d\n select 1"), "SELECT");
  EXPECT_EQ(
    main_keyword("WITH a AS (SELECT 1), b AS (DELETE FROM x) INSERT INTO t SELECT * FROM a"),
    "INSERT");
  EXPECT_EQ(main_keyword("with recursive n(i) as (select 1) select * from n"), "SELECT");
}

TEST(KeywordsTest, KnowsWhenNothingMoreFollows) {
  EXPECT_TRUE(is_blank(" ; -- end\n /* really */ ;"));
  EXPECT_FALSE(is_blank("; SELECT 2"));
  EXPECT_FALSE(is_blank("'x'"));
}

TEST(KeywordsTest, WritesTagsAsPostgresDoes) {
  EXPECT_EQ(command_tag("INSERT", "", 3), "INSERT 0 3");
  EXPECT_EQ(command_tag("CREATE", "CREATE TEMP TABLE t (a)", std::nullopt), "CREATE TABLE");
  EXPECT_EQ(command_tag("CREATE", "create unique index i on t (a)", std::nullopt), "CREATE INDEX");
  EXPECT_EQ(row_count("CREATE", 0, false, 5), std::nullopt);
}

TEST(SqliteErrorsTest, MapsCodesToTheSharedOnes) {
  EXPECT_EQ(to_error(SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: t.a").code(), "23505");
  EXPECT_EQ(to_error(SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: t.a").constraint(),
            "t.a");
  EXPECT_EQ(to_error(SQLITE_BUSY, "database is locked").kind(), sdk::ErrorKind::timeout);
  EXPECT_TRUE(to_error(SQLITE_BUSY_SNAPSHOT, "database is locked").retryable());
  EXPECT_EQ(to_error(SQLITE_NOTADB, "file is not a database").kind(), sdk::ErrorKind::connection);
  EXPECT_EQ(to_error(SQLITE_READONLY_DBMOVED, "attempt to write a readonly database").code(),
            "25006");
  EXPECT_EQ(to_error(SQLITE_ERROR, "no such table: t").code(), "42P01");
}

}  // namespace
}  // namespace millrace::sqlite
