// Which transactions go out as one group, and what keeps others from it.
#include "dsl/document/load_support.hpp"
#include "dsl/span_steps.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::dsl {
namespace {

/// The steps of the group, by name; `options` stand at beginSql, `second` is a step in the middle.
std::string group(const std::string& second, const std::string& options = "") {
  const auto program = test::program_of(
    "name: spans\n"
    "servers: {db: {url: 'postgresql://db.example/shop'}}\n"
    "steps:\n"
    "  - {name: in, type: stdin}\n"
    "  - {name: begin, type: database, operation: beginSql, server: db"
    + options
    + "}\n"
      "  - {name: first, type: database, operation: executeSql, server: db,"
      " query: 'UPDATE a SET n = 1 WHERE id = ?', parameters: ['$.in.id'],"
      " response: {n: '$.rows[0].n'}}\n"
    + second + "  - {name: end, type: database, operation: commitSql, server: db}\n");
  std::string names;
  for (const auto* step : grouped_steps(program->pipelines.front(), 1))
    names += step->name + " ";
  return names;
}

std::string sql(const std::string& query, const std::string& rest = "parameters: []") {
  return "  - {name: second, type: database, operation: executeSql, server: db, query: \"" + query
         + "\", " + rest + "}\n";
}

TEST(SpanStepsTest, WhatIsKnownAtTheStartGoesOutTogether) {
  EXPECT_EQ(group(""), "begin first end ");
  EXPECT_EQ(group(sql("INSERT INTO b VALUES (?)", "parameters: ['$.in.n']")),
            "begin first second end ");
}

TEST(SpanStepsTest, AParameterThatReadsAnOutputOfTheSpanKeepsIt) {
  EXPECT_EQ(group(sql("INSERT INTO b VALUES (?)", "parameters: ['$.first.n']")), "");
  EXPECT_EQ(group(sql("INSERT INTO b VALUES (?)", "parameters: [\"string($.first)\"]")), "");
}

TEST(SpanStepsTest, OtherOptionsThanTheDefaultsKeepIt) {
  EXPECT_EQ(group("", ", isolation: serializable"), "");
  EXPECT_EQ(group("", ", readOnly: true"), "");
  EXPECT_EQ(group("", ", timeout: 1s"), "");
}

TEST(SpanStepsTest, StepsThatMayNotRunOrThatMustBeSeenInBetweenKeepIt) {
  EXPECT_EQ(group(sql("SELECT 1", "parameters: [], when: '$.in.n > 1'")), "");
  EXPECT_EQ(group(sql("SELECT 1", "parameters: [], timeout: 1s")), "");
  EXPECT_EQ(group("  - {name: second, type: transform, set: {a: 1}}\n"), "");
  EXPECT_EQ(
    group("  - {name: second, type: database, operation: savepoint, server: db, savepoint: s}\n"),
    "");
}

TEST(SpanStepsTest, AnOutputThatCouldFailBehindTheCommitKeepsIt) {
  EXPECT_EQ(group(sql("SELECT 1 AS n", "parameters: [], response: {n: '$.rows[0].n'}")),
            "begin first second end ");
  EXPECT_EQ(group(sql("SELECT 1 AS n",
                      "parameters: [], response: {n: {path: '$.rows[0].n', required: true}}")),
            "");
  EXPECT_EQ(group(sql("SELECT 1 AS n", "parameters: [], response: {n: 'number($.rows[0].n)'}")),
            "");
}

TEST(SpanStepsTest, StatementsThatLeaveSomethingBehindKeepIt) {
  EXPECT_EQ(group(sql("CREATE TEMP TABLE t (n int)")), "");
  EXPECT_EQ(group(sql("SELECT set_config('a.b', '1', false)")), "");
  EXPECT_EQ(group(sql("SELECT pg_advisory_lock(1)")), "");
}

}  // namespace
}  // namespace millrace::dsl
