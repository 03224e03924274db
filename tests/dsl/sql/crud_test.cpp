#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/sql/crud.hpp"

#include <gtest/gtest.h>

namespace millrace::dsl {
namespace {

using sdk::sql::parse_statement;

std::string built(const Crud& crud) {
  const auto sql = build_crud(crud);
  return sql ? *sql : sql.error().to_string();
}

TEST(CrudTest, InsertsNamedColumns) {
  EXPECT_EQ(
    built({.operation = CrudOperation::insert, .table = "orders", .values = {"id", "total"}}),
    R"(INSERT INTO "orders" ("id", "total") VALUES (?, ?))");
  EXPECT_EQ(built({.operation = CrudOperation::insert, .table = "orders", .returning = {"id"}}),
            R"(INSERT INTO "orders" DEFAULT VALUES RETURNING "id")");
}

TEST(CrudTest, UpdatesAndDeletesWhatWhereNames) {
  EXPECT_EQ(built({.operation = CrudOperation::update,
                   .table = "shop.orders",
                   .values = {"state"},
                   .where = {{"id"}, {"closed", true}}}),
            R"(UPDATE "shop"."orders" SET "state" = ? WHERE "id" = ? AND "closed" IS NULL)");
  EXPECT_EQ(built({.operation = CrudOperation::remove, .table = "orders", .where = {{"id"}}}),
            R"(DELETE FROM "orders" WHERE "id" = ?)");
  EXPECT_EQ(built({.operation = CrudOperation::remove, .table = "orders", .all = true}),
            R"(DELETE FROM "orders")");
}

TEST(CrudTest, UpsertsByItsKey) {
  EXPECT_EQ(
    built({.operation = CrudOperation::upsert,
           .table = "t",
           .values = {"id", "a", "b"},
           .key = {"id"}}),
    R"(INSERT INTO "t" ("id", "a", "b") VALUES (?, ?, ?) ON CONFLICT ("id") DO UPDATE SET "a" = EXCLUDED."a", "b" = EXCLUDED."b")");
  EXPECT_EQ(
    built({.operation = CrudOperation::upsert, .table = "t", .values = {"id"}, .key = {"id"}}),
    R"(INSERT INTO "t" ("id") VALUES (?) ON CONFLICT ("id") DO NOTHING)");
}

TEST(CrudTest, SelectsInOrderWithLimit) {
  EXPECT_EQ(built({.table = "t",
                   .where = {{"a"}},
                   .columns = {"b", "c"},
                   .order = {{"b", true}, {"c"}},
                   .limit = true,
                   .offset = true}),
            R"(SELECT "b", "c" FROM "t" WHERE "a" = ? ORDER BY "b" DESC, "c" LIMIT ? OFFSET ?)");
  EXPECT_EQ(built({.table = "t", .offset = true}),
            R"(SELECT * FROM "t" LIMIT 9223372036854775807 OFFSET ?)");
}

TEST(CrudTest, QuotesNamesSoThatTheyCannotBecomeCode) {
  EXPECT_EQ(built({.table = "t", .where = {{"a\" = 1; DROP TABLE t; --?"}}}),
            R"(SELECT * FROM "t" WHERE "a"" = 1; DROP TABLE t; --?" = ?)");
  const auto statement = parse_statement(built({.table = "a?", .where = {{"b\"?"}}}));
  ASSERT_TRUE(statement);
  EXPECT_EQ(statement->parameter_count, 1u);
  EXPECT_EQ(*quote_table(R"("a.b"."c""d")"), R"("a.b"."c""d")");
  EXPECT_EQ(*quote_table("a.b.c"), R"("a"."b"."c")");
}

TEST(CrudTest, RefusesWhatWouldTouchEveryRow) {
  EXPECT_EQ(
    built({.operation = CrudOperation::update, .table = "t", .values = {"a"}}),
    "config: update without 'where' would touch every row of the table; give 'where', or 'all: "
    "true' if that is meant");
  EXPECT_EQ(
    built({.operation = CrudOperation::remove, .table = "t", .where = {{"a"}}, .all = true}),
    "config: delete has both 'where' and 'all: true'; give one of them");
}

TEST(CrudTest, RefusesWhatMakesNoSense) {
  EXPECT_EQ(built({.table = ""}), "config: 'table' is empty or has NUL in it");
  for (const auto* table : {"a..b", ".a", "a.", "\"a", "\"a\"b", "\"\""})
    EXPECT_NE(built({.table = table}).find("is no name of a table"), std::string::npos) << table;
  EXPECT_EQ(built({.operation = CrudOperation::insert, .table = "t", .values = {"a", "a"}}),
            "config: values names the column 'a' twice");
  EXPECT_EQ(
    built({.operation = CrudOperation::upsert, .table = "t", .values = {"a"}, .key = {"b"}}),
    "config: the key column 'b' is not among 'values'");
  EXPECT_NE(
    built({.operation = CrudOperation::upsert, .table = "t", .values = {"a"}}).find("needs 'key'"),
    std::string::npos);
  EXPECT_EQ(built({.operation = CrudOperation::update, .table = "t", .all = true}),
            "config: update needs 'values'");
}

}  // namespace
}  // namespace millrace::dsl
