#include "connectors/sdk/database_settings.hpp"
#include "dsl/document/load_support.hpp"

#include <gmock/gmock.h>

namespace millrace::dsl {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string file =
  "name: orders\n"
  "servers:\n"
  "  my-db: {url: \"sqlite:///a.db\", pool: {max_size: 4}}\n"
  "profiles:\n"
  "  default: {servers: {my-db: {echo: true, pool: {min_size: 2, max_size: 3}}}}\n"
  "  production: {servers: {my-db: {pool: {min_size: 3}}}}\n"
  "steps:\n"
  "  - {name: in, type: stdin}\n"
  "  - {name: wait, type: delay, for: 1s}\n";

const sdk::DatabaseSettings& settings(const std::shared_ptr<const Program>& program) {
  return *program->servers.at(0).database;
}

TEST(OverridesTest, LaysProfilesBelowTheFile) {
  const auto program = test::program_of(file);
  EXPECT_TRUE(settings(program).echo);
  EXPECT_EQ(settings(program).pool.min_size, 2U);
  EXPECT_EQ(settings(program).pool.max_size, 4U);
}

TEST(OverridesTest, LaysTheChosenProfileOverTheDefaultOne) {
  const auto program = test::program_of(file, {}, {.profile = "production"});
  EXPECT_TRUE(settings(program).echo);
  EXPECT_EQ(settings(program).pool.min_size, 3U);
}

TEST(OverridesTest, RefusesAProfileThatNobodyDefines) {
  EXPECT_EQ(test::load_text(file, {}, {.profile = "prodution"}).diagnostics.to_string(),
            "--profile prodution: error: no file defines the profile 'prodution'\n"
            "  hint: did you mean 'production'?\n");
}

TEST(OverridesTest, LetsVariablesWinOverTheFileAndSetsOverBoth) {
  test::FakeEnvironment world;
  world.values = {{"MILLRACE_SERVERS__MY_DB__POOL__MAX_SIZE", "6"},
                  {"MILLRACE_SERVERS__MY_DB__URL", "sqlite:///b.db"}};
  EXPECT_EQ(settings(test::program_of(file, world)).pool.max_size, 6U);
  EXPECT_THAT(settings(test::program_of(file, world)).dbname, HasSubstr("b.db"));
  const auto program = test::program_of(file, world, {.sets = {"servers.my-db.pool.max_size=7"}});
  EXPECT_EQ(settings(program).pool.max_size, 7U);
}

TEST(OverridesTest, SetsAStepByItsName) {
  const auto program = test::program_of(file, {}, {.sets = {"pipelines.orders.steps.wait.for=3s"}});
  EXPECT_EQ(std::get<Delay>(program->pipelines.at(0).steps.steps.at(0)->body).duration,
            std::chrono::seconds{3});
}

TEST(OverridesTest, SaysWhereASetLeadsNowhere) {
  const auto text = test::load_text(
                      file, {},
                      {.sets = {"servers.mydb.echo=true", "x=1",
                                "pipelines.orders.steps.nobody.for=1s", "servers.my-db.echo",
                                "servers.my-db.pool.max_size=many"}})
                      .diagnostics.to_string();
  EXPECT_THAT(text, HasSubstr("--set servers.mydb.echo: error: nothing has the name 'mydb'\n  "
                              "hint: did you mean 'my-db'?"));
  EXPECT_THAT(text,
              HasSubstr("--set x: error: a path begins with servers.NAME. or pipelines.NAME."));
  EXPECT_THAT(
    text,
    HasSubstr(
      "--set pipelines.orders.steps.nobody.for: error: the path leads to nothing in 'orders'"));
  EXPECT_THAT(text, HasSubstr("--set servers.my-db.echo: error: a value is missing"));
  EXPECT_THAT(
    text,
    HasSubstr(
      "--set servers.my-db.pool.max_size:1:1: error: 'max_size' must be an integer, not 'many'"));
}

TEST(OverridesTest, NeverPrintsTheValueOfAVariable) {
  test::FakeEnvironment world;
  world.values = {{"MILLRACE_SERVERS__MY_DB__POOL__MAX_SIZE", "planted"},
                  {"MILLRACE_SERVERS__OTHER__URL", "planted"}};
  const auto text = test::load_text(file, world).diagnostics.to_string();
  EXPECT_THAT(text, Not(HasSubstr("planted")));
  EXPECT_THAT(text, HasSubstr("MILLRACE_SERVERS__MY_DB__POOL__MAX_SIZE: error: 'max_size' must be "
                              "an integer, not <secret>"));
  EXPECT_THAT(
    text, HasSubstr(
            "MILLRACE_SERVERS__OTHER__URL: warning: this variable belongs to none of the servers"));
}

TEST(OverridesTest, RefusesServersWhoseVariablesCollide) {
  EXPECT_THAT(
    test::load_text("servers: {a-b: {url: \"sqlite:///a\"}, a_b: {url: \"sqlite:///b\"}}\n"
                    "steps: [{name: in, type: stdin}]\n")
      .diagnostics.to_string(),
    HasSubstr("the servers 'a-b' and 'a_b' have the same variables, MILLRACE_SERVERS__A_B__…"));
}

TEST(OverridesTest, TakesSecretsFromTheFileBeside) {
  test::FakeEnvironment world;
  world.files[".secrets.yaml"] = "servers: {my-db: {password: pl4nted, pool: {max_size: 5}}}\n";
  const auto program = test::program_of(file, world);
  EXPECT_EQ(settings(program).password.reveal(), "pl4nted");
  EXPECT_EQ(settings(program).pool.max_size, 5U);
}

TEST(OverridesTest, RefusesSecretsThatOthersMayRead) {
  test::FakeEnvironment world;
  world.files[".secrets.yaml"] = "servers: {my-db: {password: pl4nted}}\n";
  world.readable = {".secrets.yaml"};
  EXPECT_EQ(test::load_text(file, world).diagnostics.to_string(),
            ".secrets.yaml: error: other users may read this file of secrets\n"
            "  hint: chmod 600 .secrets.yaml\n");
}

TEST(OverridesTest, ShowsNoSecretOfTheSecretsFile) {
  test::FakeEnvironment world;
  world.files[".secrets.yaml"] =
    "servers: {my-db: {url: \"pl4nted\", pool: {max_size: pl4nted}}}\n";
  const auto text = test::load_text(file, world).diagnostics.to_string();
  EXPECT_THAT(text, Not(HasSubstr("pl4nted")));
  EXPECT_THAT(text, HasSubstr(".secrets.yaml:1:"));
}

}  // namespace
}  // namespace millrace::dsl
