// The statements that a database step makes of its records.
#include "actors/steps/statement_maker.hpp"
#include "tests/actors/db/database_stages_fixture.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using sdk::Value;
using testing::ElementsAre;
using testing::HasSubstr;

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
