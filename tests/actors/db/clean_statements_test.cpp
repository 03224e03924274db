#include "actors/db/clean_statements.hpp"

#include <gtest/gtest.h>

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;

TEST(CleanStatementsTest, KnowWhatTheyLearntUntilItIsTooOld) {
  CleanStatements clean;
  const sdk::Instant now{1000s};
  EXPECT_FALSE(clean.contains("SELECT 1", now));
  clean.learn("SELECT 1", {.leaves_nothing = true}, now + 60s);
  EXPECT_TRUE(clean.contains("SELECT 1", now + 59s));
  EXPECT_FALSE(clean.contains("SELECT 1", now + 60s));
  clean.learn("SELECT 1", {.leaves_nothing = true}, now + 120s);
  EXPECT_TRUE(clean.contains("SELECT 1", now + 60s));
  clean.forget();
  EXPECT_FALSE(clean.contains("SELECT 1", now + 60s));
}

TEST(CleanStatementsTest, DoNotAskAgainAboutWhatIsKnownToLeaveSomething) {
  CleanStatements clean;
  const sdk::Instant now{1000s};
  clean.learn("SELECT f()", {}, now + 60s);
  EXPECT_FALSE(clean.contains("SELECT f()", now + 59s));
  EXPECT_TRUE(clean.take_wanted().empty());
  EXPECT_FALSE(clean.writes("SELECT f()"));
  clean.learn("DELETE FROM t", {.leaves_nothing = true, .writes = true}, now + 60s);
  EXPECT_TRUE(clean.writes("DELETE FROM t"));
  EXPECT_FALSE(clean.contains("SELECT f()", now + 60s));
  EXPECT_EQ(clean.take_wanted(), std::vector<std::string>{"SELECT f()"});
}

TEST(CleanStatementsTest, NoteWhatIsUnknownOnceAndAFewAtATime) {
  CleanStatements clean;
  const sdk::Instant now{1000s};
  EXPECT_FALSE(clean.contains("SELECT 1", now));
  EXPECT_FALSE(clean.contains("SELECT 1", now));
  EXPECT_EQ(clean.take_wanted(), std::vector<std::string>{"SELECT 1"});
  EXPECT_TRUE(clean.take_wanted().empty());
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(clean.contains("SELECT " + std::to_string(i), now));
  EXPECT_LT(clean.take_wanted().size(), 20U);
}

}  // namespace
}  // namespace millrace::actors::db
