#include "actors/db/echo.hpp"

#include <gtest/gtest.h>

namespace millrace::actors::db {
namespace {

TEST(EchoTest, ShowsAStatementWithoutItsStrings) {
  EXPECT_EQ(redact_sql("SELECT a, \"b c\" FROM t WHERE n = $1 AND p = 'secret' LIMIT 5"),
            "SELECT a, \"b c\" FROM t WHERE n = $1 AND p = '…' LIMIT 5");
  EXPECT_EQ(redact_sql("ALTER ROLE r PASSWORD E'se\\'cret'"), "ALTER ROLE r PASSWORD '…'");
  EXPECT_EQ(redact_sql("DO $$ it's secret $$"), "DO '…'");
  EXPECT_EQ(redact_sql("SELECT 1 -- secret"), "SELECT 1 ");
}

TEST(EchoTest, ShowsNothingOfATextThatCannotBeRead) {
  EXPECT_EQ(redact_sql("SELECT 'secret"), "…");
}

}  // namespace
}  // namespace millrace::actors::db
