#include "dsl/expression/function_table.hpp"
#include "tests/dsl/expression/fixture.hpp"

#include <regex>
#include <thread>

namespace millrace::dsl::test {
namespace {

using FunctionsTest = ExpressionTest;

TEST_F(FunctionsTest, TellTheTimeOfTheClock) {
  EXPECT_EQ(run("currentdatetime()"), "\"2026-05-31T10:20:30.123Z\"");
  EXPECT_EQ(run("currentdate()"), "\"2026-05-31\"");
  EXPECT_EQ(run("dateadd(currentdatetime(), '-P90D')"), "\"2026-03-02T10:20:30.123Z\"");
}

TEST_F(FunctionsTest, MoveTimesByDurations) {
  EXPECT_EQ(run("dateadd('2026-01-31', 'P1M')"), "\"2026-02-28\"");
  EXPECT_EQ(run("dateadd('2024-01-31', 'P1M')"), "\"2024-02-29\"");
  EXPECT_EQ(run("dateadd('2024-02-29', 'P1Y')"), "\"2025-02-28\"");
  EXPECT_EQ(run("dateadd('2024-02-29', '-P4Y')"), "\"2020-02-29\"");
  EXPECT_EQ(run("dateadd('2026-03-31', '-P1M')"), "\"2026-02-28\"");
  EXPECT_EQ(run("dateadd('2026-01-31', 'P1M1D')"), "\"2026-03-01\"");
  EXPECT_EQ(run("dateadd('2026-01-01', 'PT36H')"), "\"2026-01-02T12:00:00.000Z\"");
  EXPECT_EQ(run("dateadd('2026-01-01T00:00:00Z', 'P1W')"), "\"2026-01-08T00:00:00.000Z\"");
  EXPECT_EQ(run("dateadd('2026-01-01 01:30:00+02:00', 'PT0.000001S')"),
            "\"2025-12-31T23:30:00.000001Z\"");
  EXPECT_EQ(run("dateadd(0, 'P1Y2M3DT4H5M6.5S')"), "\"1971-03-04T04:05:06.500Z\"");
  EXPECT_EQ(run("dateadd($.receive-orders.nothing, 'P1D')"), "null");
  EXPECT_EQ(run("dateadd('9999-12-31', 'P1D')"),
            "<text>: error: dateadd() the result lies outside the years 1 to 9999");
}

TEST_F(FunctionsTest, RefuseWhatIsNoTimeOrDuration) {
  for (const std::string_view time :
       {"", "2026", "2026-13-01", "2026-02-30", "2026-1-1", "2026-01-01T", "2026-01-01T25:00",
        "2026-01-01T10", "2026-01-01T10:60", "2026-01-01T10:00:60", "2026-01-01T10:00:00.",
        "2026-01-01T10:00Zx", "2026-01-01T10:00+1", "2026-01-01T10:00+25:00", "0000-01-01",
        "01.02.2026", "now"})
    EXPECT_NE(run("dateadd('" + std::string{time} + "', 'P1D')").find("wants a time"),
              std::string::npos)
      << time;
  for (const std::string_view duration :
       {"", "P", "PT", "P1", "1D", "P1H", "PT1D", "P1D1M", "P1.5D", "P-1D", "P1DT", "p1d", "P1S",
        "PT1.S", "P99999999999999999999D", "90 days", "--P1D"})
    EXPECT_NE(
      run("dateadd('2026-01-01', '" + std::string{duration} + "')").find("wants a duration"),
      std::string::npos)
      << duration;
}

TEST_F(FunctionsTest, CountWholeUnitsBetweenTimes) {
  EXPECT_EQ(run("datediff('2026-01-31', '2026-02-28', 'days')"), "28");
  EXPECT_EQ(run("datediff('2026-01-31', '2026-02-28', 'month')"), "1");
  EXPECT_EQ(run("datediff('2026-01-15', '2026-02-14', 'months')"), "0");
  EXPECT_EQ(run("datediff('2026-02-14', '2026-01-15', 'months')"), "0");
  EXPECT_EQ(run("datediff('2024-02-29', '2026-02-28', 'years')"), "2");
  EXPECT_EQ(run("datediff('2026-05-31T10:00:00Z', '2026-05-31T12:00:00+02:00', 'hours')"), "0");
  EXPECT_EQ(run("datediff('2026-05-31', '2026-05-30', 'seconds')"), "-86400");
  EXPECT_EQ(run("datediff('2026-05-31', '2026-06-14', 'weeks')"), "2");
  EXPECT_NE(run("datediff('2026-05-31', '2026-06-14', 'fortnights')").find("there is milliseconds"),
            std::string::npos);
}

TEST_F(FunctionsTest, WriteTimesByAPattern) {
  EXPECT_EQ(run("format('2026-05-31T09:05:03.004Z', '%d.%m.%Y %H:%M:%S.%L')"),
            "\"31.05.2026 09:05:03.004\"");
  EXPECT_EQ(run("format('2026-05-31', '%a %A %b %B %j %u %y %F %T %s %Z %%')"),
            "\"Sun Sunday May May 151 7 26 2026-05-31 00:00:00 1780185600 UTC %\"");
  EXPECT_NE(run("format('2026-05-31', '%Q')").find("wants a pattern"), std::string::npos);
  EXPECT_NE(run("format('2026-05-31', '%')").find("wants a pattern"), std::string::npos);
}

TEST_F(FunctionsTest, MakeUuidsOfVersionFour) {
  const std::regex version_four{
    R"("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")"};
  std::set<std::string> seen;
  const auto uuid = compile(scalar("uuid()"));
  for (int i = 0; i < 1000; ++i) {
    const auto text = run(uuid);
    EXPECT_TRUE(std::regex_match(text, version_four)) << text;
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
}

TEST_F(FunctionsTest, WorkOnText) {
  EXPECT_EQ(run("concat('a', 1, true, null, 1.50, $.receive-orders.country)"), "\"a1true1.50DE\"");
  EXPECT_EQ(run("coalesce($.receive-orders.nothing, $.score.missing, 'x')"), "\"x\"");
  EXPECT_EQ(run("coalesce(null)"), "null");
  EXPECT_EQ(run("upper('straße é')"), "\"STRAßE É\"");
  EXPECT_EQ(run("lower('ÀÉ Ω')"), "\"àé ω\"");
  EXPECT_EQ(run("trim(' \\t x y\\n')"), "\"x y\"");
  EXPECT_EQ(run("trim('  ')"), "\"\"");
  EXPECT_EQ(run("length('☺☻')"), "2");
  EXPECT_EQ(run("length($.receive-orders.lines)"), "3");
  EXPECT_EQ(run("length($.score.missing)"), "null");
  EXPECT_EQ(run("string($.receive-orders.total)"), "\"120.50\"");
  EXPECT_EQ(run("string($.score)"), R"("{\"loyaltyScore\":42}")");
  EXPECT_EQ(run("sha256('abc')"),
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
  EXPECT_EQ(run("sha256('')"),
            "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"");
}

TEST_F(FunctionsTest, KeepTheDigitsOfNumbers) {
  EXPECT_EQ(run("number('1.10')"), "1.10");
  EXPECT_EQ(run("number(' -12 ')"), "-12");
  EXPECT_EQ(run("number('123456789012345678901234567890')"), "123456789012345678901234567890");
  EXPECT_EQ(run("number(7)"), "7");
  EXPECT_EQ(run("number('twelve')"), "<text>: error: number() the text is no number\n  hint: a "
                                     "number is written like -12.50 or 1e3");
}

TEST_F(FunctionsTest, SumExactly) {
  EXPECT_EQ(run("sum($.receive-orders.lines[*].price)"), "33.10");
  EXPECT_EQ(run("sum(0.1, 0.2)"), "0.3");
  EXPECT_EQ(run("sum(0.1, 0.20)"), "0.30");
  EXPECT_EQ(run("sum(-0.05, 0.05)"), "0.00");
  EXPECT_EQ(run("sum(9223372036854775807, 0)"), "9223372036854775807");
  EXPECT_EQ(run("sum(9223372036854775807, 1)"),
            "<text>: error: sum() the sum does not fit into 64 bits");
  EXPECT_EQ(run("sum(1e3, 1)"), "1001");
  EXPECT_EQ(run("sum($.receive-orders.lines[?@.price > 1000].price)"), "0");
  EXPECT_NE(run("sum($.receive-orders.lines[*].sku)").find("wants numbers"), std::string::npos);
}

TEST_F(FunctionsTest, FindExtremesAndMeans) {
  EXPECT_EQ(run("min($.receive-orders.lines[*].price)"), "1.10");
  EXPECT_EQ(run("max($.receive-orders.lines[*].price, 29.5)"), "30");
  EXPECT_EQ(run("max($.receive-orders.lines[*].sku)"), "\"c\"");
  EXPECT_EQ(run("min(12345678901234567891, 12345678901234567890)"), "12345678901234567890");
  EXPECT_EQ(run("min($.score.missing)"), "null");
  EXPECT_EQ(run("avg(1, 2, 3)"), "2");
  EXPECT_EQ(run("avg(1, 2)"), "1.5");
  EXPECT_EQ(run("avg($.score.missing)"), "null");
  EXPECT_EQ(run("count($.receive-orders.lines)"), "3");
  EXPECT_EQ(run("count($.receive-orders.lines[?@.price > 1.5])"), "2");
  EXPECT_EQ(run("count($.score.missing)"), "0");
  EXPECT_NE(run("max(1, 'a')").find("wants numbers alone or texts alone"), std::string::npos);
}

TEST_F(FunctionsTest, AreCheckedWhenTheFileIsLoaded) {
  EXPECT_EQ(run("lowr('x')"), "<text>: error: no function 'lowr'\n  hint: did you mean 'lower'?");
  EXPECT_EQ(
    run("currentDateTime()"),
    "<text>: error: no function 'currentDateTime'\n  hint: did you mean 'currentdatetime'?");
  EXPECT_EQ(run("dateadd('2026-01-01')"), "<text>: error: dateadd() takes 2 arguments, not 1\n  "
                                          "hint: it is dateadd(time, duration), as in "
                                          "dateadd(currentdatetime(), '-P90D')");
  EXPECT_EQ(run("uuid(1)"),
            "<text>: error: uuid() takes no arguments, not 1\n  hint: it is uuid(), as in uuid()");
  EXPECT_EQ(run("dateadd($.score.x, '90 days')"),
            "<text>: error: dateadd() wants a duration, not text like this\n  hint: write it in "
            "ISO 8601, like P90D, -P1M or PT15M");
  EXPECT_EQ(run("upper(5)"), "<text>: error: upper() wants text, not an integer");
  EXPECT_EQ(run("upper(length($.score.x))"),
            "<text>: error: upper() wants text, which length() does not give\n  hint: upper(text)");
  EXPECT_EQ(
    run("upper('x'"),
    "<text>: error: invalid expression 'upper('x'': column 10: expected ',' or ')', found the end");
  EXPECT_EQ(run("upper($.score.loyaltyScore)"), "error: data: upper() wants text, not an integer");
  EXPECT_EQ(run("upper(lower)"), "<text>: error: invalid expression 'upper(lower)': column 7: "
                                 "expected a path, a function, a quoted text or a number, "
                                 "found 'lower'");
}

TEST_F(FunctionsTest, AreFoldedWhereTheyAreConstant) {
  EXPECT_TRUE(compile(scalar("upper('x')"))->constant());
  EXPECT_FALSE(compile(scalar("currentdatetime()"))->constant());
  EXPECT_FALSE(compile(scalar("uuid()"))->constant());
}

TEST_F(FunctionsTest, StandInOneSortedTableWithExamplesThatCompile) {
  context.names = {{"in", 0}};
  environment["API_TOKEN"] = "x";
  std::string_view before;
  for (const auto& function : functions()) {
    EXPECT_LT(before, function.name);
    before = function.name;
    EXPECT_TRUE(function.signature.starts_with(function.name));
    EXPECT_TRUE(function.doc.ends_with('.')) << function.name;
    EXPECT_TRUE(compile(scalar(function.example))) << function.example << ": " << mistakes();
    EXPECT_EQ(find_function(function.name), &function);
  }
  EXPECT_EQ(functions().size(), 21U);
}

TEST_F(FunctionsTest, SurviveHostileNesting) {
  std::string text;
  for (int i = 0; i < 100'000; ++i)
    text += "lower(";
  EXPECT_NE(run(text).find("nested deeper than"), std::string::npos);
}

}  // namespace
}  // namespace millrace::dsl::test
