// `millrace eval` and `millrace dsn`, as a user runs them.
#include "tests/runtime/millrace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace millrace::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(EvalJsonpathTest, PrintsTheArrayOfWhatIsSelected) {
  const auto done = millrace({"eval", "jsonpath", "$.a[?@.b > 1].b"},
                             R"({"a":[{"b":1},{"b":2},{"b":3.50}]})");
  EXPECT_EQ(done.out, "[2,3.50]\n");
  EXPECT_EQ(done.code, 0) << done.err;
}

TEST(EvalJsonpathTest, PrintsNormalizedPaths) {
  const auto done = millrace({"eval", "jsonpath", "--paths", "$..b"}, R"({"a":[{"b":1}],"b":2})");
  EXPECT_EQ(json::parse(done.out), json::parse(R"(["$['b']","$['a'][0]['b']"])"));
  EXPECT_EQ(done.code, 0) << done.err;
}

TEST(EvalJsonpathTest, SelectsNothingAsAnEmptyArray) {
  EXPECT_EQ(millrace({"eval", "jsonpath", "$.x"}, "{}").out, "[]\n");
}

TEST(EvalJsonpathTest, TakesADashInANameUnlessItIsStrict) {
  const std::string document = R"({"receive-order":{"id":7}})";
  EXPECT_EQ(millrace({"eval", "jsonpath", "$.receive-order.id"}, document).out, "[7]\n");
  const auto strict = millrace({"eval", "jsonpath", "--strict", "$.receive-order.id"}, document);
  EXPECT_EQ(strict.code, 1);
  EXPECT_THAT(strict.out, IsEmpty());
}

TEST(EvalJsonpathTest, SaysWhatIsWrongWithAPath) {
  const auto done = millrace({"eval", "jsonpath", "$.a[?"}, "{}");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("column"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST(EvalJsonpathTest, AnAbsentFileIsAnIoError) {
  const auto done = millrace({"eval", "jsonpath", "$", "/nonexistent.json"});
  EXPECT_EQ(done.code, 74);
  EXPECT_THAT(done.err, HasSubstr("/nonexistent.json"));
}

TEST(EvalJsonpathTest, ADocumentThatIsNoJsonIsRefused) {
  EXPECT_EQ(millrace({"eval", "jsonpath", "$"}, "{oops").code, 1);
}

TEST(EvalExprTest, PrintsTheValueAsJson) {
  const std::string document =
    R"({"in":{"name":" Ada ","tags":["a","b"],"price":12.50,"box":{"w":1,"h":[2,3]}}})";
  const auto value = [&](const char* text) {
    const auto done = millrace({"eval", "expr", text}, document);
    EXPECT_EQ(done.code, 0) << text << done.err;
    return done.out;
  };
  EXPECT_EQ(value("upper(trim($.in.name))"), "\"ADA\"\n");
  EXPECT_EQ(value("$.in.tags"), "[\"a\",\"b\"]\n");
  EXPECT_EQ(value("$.in.box"), "{\"w\":1,\"h\":[2,3]}\n");
  EXPECT_EQ(value("$.in.price"), "12.50\n");
  EXPECT_EQ(value("$.in.missing"), "null\n");
  EXPECT_EQ(value("coalesce($.in.missing, $.in.box.h)"), "[2,3]\n");
  EXPECT_EQ(value("count($.in.tags[*])"), "2\n");
  EXPECT_EQ(value("sum($.in.box.h[*])"), "5\n");
  EXPECT_EQ(value("plain text"), "\"plain text\"\n");
  EXPECT_EQ(value("$"), document + "\n");
}

TEST(EvalExprTest, SaysWhatIsWrongWithAnExpression) {
  const auto done = millrace({"eval", "expr", "uper('a')"}, "{}");
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("did you mean 'upper'?"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST(EvalSqlTest, PrintsAStatementAsPostgresqlGetsIt) {
  const auto done = millrace({"eval", "sql", "SELECT * FROM t WHERE a = ? AND b = '?' AND c < ?"});
  EXPECT_EQ(
    json::parse(done.out),
    json::parse(R"({"sql":"SELECT * FROM t WHERE a = $1 AND b = '?' AND c < $2","binds":2})"));
  EXPECT_EQ(done.code, 0) << done.err;
}

TEST(EvalSqlTest, WritesADriversLiteralIntoTheStatement) {
  const auto done = millrace(
    {"eval", "sql", "SELECT ? < ?", "--parameters", R"j([1, "currentdatetime()"])j"});
  EXPECT_EQ(json::parse(done.out),
            json::parse(R"({"sql":"SELECT $1 < CURRENT_TIMESTAMP","binds":1})"));
}

TEST(EvalSqlTest, RefusesACountThatDoesNotMatchWithBothNumbers) {
  const auto done = millrace({"eval", "sql", "SELECT ?, ?", "--parameters", "[1]"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err, HasSubstr("2"));
  EXPECT_THAT(done.err, HasSubstr("1"));
}

TEST(EvalSqlTest, RefusesParametersThatAreNoJson) {
  EXPECT_EQ(millrace({"eval", "sql", "SELECT ?", "--parameters", "nonsense"}).code, 1);
  EXPECT_EQ(millrace({"eval", "sql", "SELECT ?", "--parameters", "5"}).code, 1);
}

TEST(DsnTest, ParsesToTheParametersThatLibpqHas) {
  const auto done = millrace(
    {"dsn", "parse", "postgresql://ada:planted@a:5432,b:5433/shop?sslmode=require"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(json::parse(done.out),
            json::parse(R"({"host":"a,b","port":"5432,5433","user":"ada","password":"***",
                                                   "dbname":"shop","sslmode":"require"})"));
}

TEST(DsnTest, ShowsThePasswordOnlyWhenAsked) {
  const auto done = millrace(
    {"dsn", "parse", "--show-password", "host=a user=ada password=planted"});
  EXPECT_EQ(json::parse(done.out).at("password"), "planted");
}

TEST(DsnTest, Masks) {
  const auto done = millrace({"dsn", "mask", "postgresql://ada:planted@db/shop"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr("ada"));
  EXPECT_THAT(done.out, Not(HasSubstr("planted")));
}

TEST(DsnTest, KnowsSeveralHosts) {
  EXPECT_EQ(millrace({"dsn", "is-multihost", "postgresql://a,b/x"}).out, "true\n");
  EXPECT_EQ(millrace({"dsn", "is-multihost", "host=a"}).out, "false\n");
}

TEST(DsnTest, BuildsForAnotherDatabaseAndRole) {
  const auto done = millrace({"dsn", "build", "--database", "audit", "--target-session-attrs",
                              "standby", "postgresql+asyncpg://ada:p%40ss@a,b/shop"});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("postgresql+asyncpg://ada:p%40ss@"), HasSubstr("/audit")));
  EXPECT_THAT(done.out, HasSubstr("target_session_attrs=standby"));
}

TEST(DsnTest, RefusesWhatIsNoAddressWithoutRepeatingIt) {
  const auto done = millrace({"dsn", "parse", "postgresql://ada:planted@db:port/shop"});
  EXPECT_EQ(done.code, 1);
  EXPECT_THAT(done.err + done.out, Not(HasSubstr("planted")));
}

TEST(MillraceTest, SaysItsVersion) {
  const auto done = millrace({"version"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr("millrace 0."));
}

TEST(MillraceTest, AWrongCommandLineIsAUsageError) {
  const auto done = millrace({"runn"});
  EXPECT_EQ(done.code, 64);
  EXPECT_THAT(done.err, HasSubstr("did you mean 'run'?"));
  EXPECT_THAT(done.out, IsEmpty());
}

TEST(MillraceTest, HelpGoesToStdout) {
  const auto done = millrace({"run", "--help"});
  EXPECT_EQ(done.code, 0);
  EXPECT_THAT(done.out, HasSubstr("MILLRACE_DRAIN_TIMEOUT"));
  EXPECT_THAT(done.err, IsEmpty());
}

TEST(MillraceTest, AnOutputThatTakesNothingIsAnIoError) {
  auto launch = millrace_launch({"list", "connectors"});
  launch.arguments = {"/bin/sh", "-c",
                      std::string{MILLRACE_BINARY_DIR} + "/millrace list connectors > /dev/full"};
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 74);
  EXPECT_THAT(done.err, HasSubstr("stdout"));
}

TEST(MillraceTest, ColoursOnlyATerminalAndRespectsNoColor) {
  if (!test::has_terminals())
    GTEST_SKIP() << "no pseudo terminals on this machine: mount devpts on /dev/pts";
  auto launch = millrace_launch({"runn"});
  EXPECT_THAT(run_process(launch).err, Not(HasSubstr("\x1b[")));
  launch.terminal = true;
  EXPECT_THAT(run_process(launch).err, HasSubstr("\x1b[1;31m"));
  launch.environment = {{"NO_COLOR", "1"}};
  EXPECT_THAT(run_process(launch).err, Not(HasSubstr("\x1b[")));
}

}  // namespace
}  // namespace millrace::test
