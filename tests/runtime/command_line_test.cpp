#include "runtime/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <variant>
#include <vector>

namespace millrace::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

std::variant<Command, Advice> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "millrace");
  return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

template <class Options>
Options parsed(std::vector<const char*> arguments) {
  const auto result = parse(std::move(arguments));
  if (const auto* advice = std::get_if<Advice>(&result)) {
    ADD_FAILURE() << advice->text;
    return {};
  }
  return std::get<Options>(std::get<Command>(result));
}

Advice advice(std::vector<const char*> arguments) {
  const auto result = parse(std::move(arguments));
  if (const auto* said = std::get_if<Advice>(&result))
    return *said;
  ADD_FAILURE() << "was taken";
  return {};
}

/// Sets a variable for the length of a test.
class Variable {
public:
  Variable(const char* name, const char* value) : name_{name} { ::setenv(name, value, 1); }

  ~Variable() { ::unsetenv(name_); }

  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

private:
  const char* name_;
};

TEST(CommandLineTest, ReadsEveryFlagOfRun) {
  const auto run = parsed<RunOptions>({"run",
                                       "a.yaml",
                                       "--set",
                                       "servers.db.pool.max_size=5",
                                       "b",
                                       "--set",
                                       "x=y",
                                       "--env-file",
                                       ".env",
                                       "--profile",
                                       "test",
                                       "--once",
                                       "--drain-timeout",
                                       "5s",
                                       "--log-level",
                                       "debug",
                                       "--log-format",
                                       "json",
                                       "--threads",
                                       "3",
                                       "--scheduler",
                                       "stealing",
                                       "--credit-bytes",
                                       "1MiB"});
  EXPECT_THAT(run.files.files, ElementsAre("a.yaml", "b"));
  EXPECT_THAT(run.files.sets, ElementsAre("servers.db.pool.max_size=5", "x=y"));
  EXPECT_THAT(run.files.env_files, ElementsAre(".env"));
  EXPECT_EQ(run.files.profile, "test");
  EXPECT_TRUE(run.engine.once);
  EXPECT_EQ(run.drain_timeout, 5s);
  EXPECT_EQ(run.log.level, sdk::LogLevel::debug);
  EXPECT_EQ(run.log.format, LogFormat::json);
  EXPECT_EQ(run.engine.threads, 3u);
  EXPECT_TRUE(run.engine.stealing);
  EXPECT_EQ(run.engine.credit_bytes, 1024u * 1024);
}

TEST(CommandLineTest, TakesAFlagFromItsEnvironmentTwin) {
  const Variable once{"MILLRACE_ONCE", "true"};
  const Variable level{"MILLRACE_LOG_LEVEL", "error"};
  const Variable timeout{"MILLRACE_DRAIN_TIMEOUT", "250ms"};
  const auto run = parsed<RunOptions>({"run", "a.yaml"});
  EXPECT_TRUE(run.engine.once);
  EXPECT_EQ(run.log.level, sdk::LogLevel::error);
  EXPECT_EQ(run.drain_timeout, 250ms);
}

TEST(CommandLineTest, AFlagWinsOverItsEnvironmentTwin) {
  const Variable level{"MILLRACE_LOG_LEVEL", "error"};
  EXPECT_EQ(parsed<RunOptions>({"run", "a.yaml", "--log-level", "trace"}).log.level,
            sdk::LogLevel::trace);
}

TEST(CommandLineTest, AVariableOfAnotherVerbDisturbsNobody) {
  const Variable level{"MILLRACE_LOG_LEVEL", "nonsense"};
  const Variable once{"MILLRACE_ONCE", "nonsense"};
  parsed<VersionOptions>({"version"});
  parsed<EvalSqlOptions>({"eval", "sql", "SELECT 1"});
}

TEST(CommandLineTest, AWrongVariableIsAMistakeOfItsVerb) {
  const Variable level{"MILLRACE_LOG_LEVEL", "nonsense"};
  EXPECT_EQ(advice({"run", "a.yaml"}).code, ExitCode::usage);
}

TEST(CommandLineTest, TakesArgumentsThatBeginWithADashBehindTwoDashes) {
  EXPECT_EQ(parsed<EvalJsonpathOptions>({"eval", "jsonpath", "--paths", "--", "-x"}).path, "-x");
  EXPECT_EQ(parsed<EvalSqlOptions>({"eval", "sql", "--", "--set"}).text, "--set");
  EXPECT_EQ(parsed<EvalExprOptions>({"eval", "expr", "--", "-1", "-file"}).file, "-file");
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "mask", "--", "-url"}).url, "-url");
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "build", "--database", "d", "--", "--url"}).url, "--url");
  EXPECT_THAT(parsed<RunOptions>({"run", "--once", "--", "-a.yaml", "--b.yaml"}).files.files,
              ElementsAre("-a.yaml", "--b.yaml"));
}

TEST(CommandLineTest, AWordThatIsAlsoAVerbIsAnArgumentWhereOneIsDue) {
  EXPECT_EQ(parsed<EvalExprOptions>({"eval", "expr", "run"}).text, "run");
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "parse", "mask"}).url, "mask");
}

TEST(CommandLineTest, KnowsWhichDsnToolIsMeant) {
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "parse", "u"}).action, DsnAction::parse);
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "mask", "u"}).action, DsnAction::mask);
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "is-multihost", "u"}).action, DsnAction::is_multihost);
  EXPECT_EQ(parsed<DsnOptions>({"dsn", "build", "u"}).action, DsnAction::build);
}

TEST(CommandLineTest, SaysWhatWasProbablyMeant) {
  EXPECT_THAT(advice({"validat", "a.yaml"}).text, HasSubstr("did you mean 'validate'?"));
  EXPECT_THAT(advice({"run", "a.yaml", "--onse"}).text, HasSubstr("did you mean '--once'?"));
  EXPECT_THAT(advice({"dsn", "build", "u", "--databse=x"}).text,
              HasSubstr("did you mean '--database'?"));
}

TEST(CommandLineTest, RefusesWhatItCannotRead) {
  for (const std::vector<const char*>& line :
       std::vector<std::vector<const char*>>{{},
                                             {"run"},
                                             {"nonsense"},
                                             {"eval"},
                                             {"eval", "jsonpath"},
                                             {"dsn", "parse"},
                                             {"list"},
                                             {"list", "nonsense"},
                                             {"run", "a", "--drain-timeout", "soon"},
                                             {"run", "a", "--credit-bytes", "many"},
                                             {"run", "a", "--log-level", "loud"},
                                             {"run", "a", "--threads", "-1"},
                                             {"run", "a", "--threads", "99999999999999999999"},
                                             {"run", "a", "--max-throughput", "0"},
                                             {"run", "a", "--credit-records", "0"},
                                             {"run", "a", "--credit-bytes", "0"},
                                             {"graph", "a", "--format", "png"},
                                             {"version", "extra"}})
    EXPECT_EQ(advice(line).code, ExitCode::usage) << testing::PrintToString(line);
}

TEST(CommandLineTest, SaysWhatACountMayBe) {
  EXPECT_THAT(advice({"run", "a", "--credit-records", "-3"}).text,
              HasSubstr("--credit-records: '-3' is no whole number from 1 to "));
}

TEST(CommandLineTest, RepeatsNoPassword) {
  const auto said = advice({"dsn", "parse", "u", "postgresql://ada:planted@db/shop"}).text;
  EXPECT_THAT(said, Not(HasSubstr("planted")));
}

TEST(CommandLineTest, EveryVerbHasAnExampleInItsHelp) {
  for (const std::vector<const char*>& verb :
       std::vector<std::vector<const char*>>{{"run"},
                                             {"validate"},
                                             {"explain"},
                                             {"graph"},
                                             {"list"},
                                             {"schema"},
                                             {"version"},
                                             {"eval"},
                                             {"eval", "jsonpath"},
                                             {"eval", "sql"},
                                             {"eval", "expr"},
                                             {"dsn"},
                                             {"dsn", "parse"},
                                             {"dsn", "mask"},
                                             {"dsn", "is-multihost"},
                                             {"dsn", "build"}}) {
    auto line = verb;
    line.push_back("--help");
    const auto help = advice(line);
    EXPECT_EQ(help.code, ExitCode::ok);
    EXPECT_THAT(help.text, HasSubstr("Example:\n  ")) << verb.front();
    std::string usage = "Usage: millrace";
    for (const auto* word : verb)
      usage += std::string{" "} + word;
    EXPECT_THAT(help.text, HasSubstr(usage));
    EXPECT_THAT(help.text, Not(HasSubstr(std::string{verb.back()} + " " + verb.back())));
  }
}

}  // namespace
}  // namespace millrace::runtime
