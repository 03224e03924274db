// What is said about a server from code, data, files and the environment.
#include "connectors/postgres/client/config.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using sdk::Value;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(ConnectionConfigTest, DefaultsAreThoseOfTheEngine) {
  const auto settings = resolve({.host = {"db"}, .user = "ada", .dbname = "shop"});
  ASSERT_TRUE(settings) << settings.error().to_string();
  const sdk::DatabaseSettings defaults;
  EXPECT_EQ((*settings)->driver, "postgres");
  EXPECT_EQ((*settings)->pool.max_size, 10U);
  EXPECT_EQ((*settings)->pool.max_overflow, 0U);
  EXPECT_EQ((*settings)->pool.timeout, 30s);
  EXPECT_EQ((*settings)->pool.max_lifetime, 30min);
  EXPECT_EQ((*settings)->pool.max_idle, 10min);
  EXPECT_EQ((*settings)->connect_timeout, 5s);
  EXPECT_EQ((*settings)->statement_cache, defaults.statement_cache);
  EXPECT_EQ((*settings)->retry.conflict_base, 20ms);
  EXPECT_EQ((*settings)->application_name, "millrace/database");
}

TEST(ConnectionConfigTest, TheUrlSaysItAllAndFieldsWin) {
  ConnectionConfig config{.url = "postgresql+asyncpg://ada:pw@a:5433,b/shop?sslmode=require"
                                 "&target_session_attrs=standby"};
  config.user = "bob";
  config.parameters = {{"options", "-c search_path=x"}};
  const auto settings = resolve(config);
  ASSERT_TRUE(settings) << settings.error().to_string();
  ASSERT_EQ((*settings)->hosts.size(), 2U);
  EXPECT_EQ((*settings)->hosts[0].port, 5433);
  EXPECT_EQ((*settings)->user, "bob");
  EXPECT_EQ((*settings)->password.reveal(), "pw");
  EXPECT_EQ((*settings)->target_session_attrs, "standby");
  EXPECT_EQ((*settings)->parameters.size(), 2U);
}

TEST(ConnectionConfigTest, AllMistakesAtOnceEachWithFieldAndRuleAndNoSecret) {
  ConnectionConfig config{.name = "shop", .host = {"db"}};
  config.port = 70'000;
  config.password = "planted-secret";
  config.target_session_attrs = "fastest";
  config.statement_cache = 20'000;
  config.pool.min_size = 20;
  config.pool.max_size = 5;
  config.pool.max_waiting = 0;
  config.retry.attempts = 0;
  const auto settings = resolve(config);
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error().kind(), ErrorKind::config);
  EXPECT_THAT(settings.error().message(),
              AllOf(HasSubstr("'shop'"), HasSubstr("'port' must be between 1 and 65535"),
                    HasSubstr("'target_session_attrs'"), HasSubstr("'statement_cache'"),
                    HasSubstr("'min_size' must be no more than max_size"),
                    HasSubstr("'max_waiting' must be at least 1"),
                    HasSubstr("'attempts' must be between 1 and 100"), Not(HasSubstr("planted"))));
}

TEST(ConnectionConfigTest, APortBelowOneIsRefused) {
  for (const auto port : {-1, 0, 65'536}) {
    ConnectionConfig config{.host = {"db"}};
    config.port = port;
    EXPECT_FALSE(resolve(config)) << port;
  }
}

TEST(ReadConfigTest, TheSizesOfAPoolHaveTheirRulesUnderEveryName) {
  for (const auto& sizes : {Value::object({{"max_pool_size", 0}, {"min_pool_size", 0}}),
                            Value::object({{"max_size", 0}, {"min_size", 0}}),
                            Value::object({{"max_pool_size", 100'000}})}) {
    auto options = sizes;
    options.set("host", "db");
    EXPECT_THAT(read_config("db", options).error().message(), HasSubstr("between 1 and 10000"));
  }
  EXPECT_THAT(
    read_config("db", Value::object({{"host", "db"}, {"min_pool_size", 20}})).error().message(),
    HasSubstr("'min_pool_size' must be no more than max_pool_size"));
}

TEST(ConnectionConfigTest, SettingsThatLibpqDoesNotKnowAreRefused) {
  ConnectionConfig config{.host = {"db"}};
  config.parameters = {{"sslmod", "require"}};
  EXPECT_THAT(resolve(config).error().message(), HasSubstr("sslmod"));
}

TEST(ReadConfigTest, TakesTheNamesThatOtherLibrariesHave) {
  const auto settings = read_config("db", Value::object({{"url", "postgresql://db/shop"},
                                                         {"pool_size", 5},
                                                         {"max_overflow", 7},
                                                         {"pool_timeout", 3},
                                                         {"pool_recycle", 3600},
                                                         {"pool_pre_ping", false},
                                                         {"pool_use_lifo", false},
                                                         {"echo", true}}));
  ASSERT_TRUE(settings) << settings.error().to_string();
  EXPECT_EQ((*settings)->pool.max_size, 5U);
  EXPECT_EQ((*settings)->pool.max_overflow, 7U);
  EXPECT_EQ((*settings)->pool.timeout, 3s);
  EXPECT_EQ((*settings)->pool.max_lifetime, 1h);
  EXPECT_FALSE((*settings)->pool.pre_ping);
  EXPECT_FALSE((*settings)->pool.lifo);
  EXPECT_TRUE((*settings)->echo);
  const auto sized = read_config("db", Value::object({{"host", "db"}, {"pool_size", 5}}));
  ASSERT_TRUE(sized);
  EXPECT_EQ((*sized)->pool.limit(), 15U);
  const auto small = read_config(
    "db", Value::object(
            {{"host", "db"}, {"min_pool_size", 2}, {"max_pool_size", 4}, {"timeout_ms", 500}}));
  ASSERT_TRUE(small);
  EXPECT_EQ((*small)->pool.min_size, 2U);
  EXPECT_EQ((*small)->pool.timeout, 500ms);
}

TEST(ReadConfigTest, SlipsAreNamedWithWhatWasMeant) {
  const auto settings = read_config(
    "db", Value::object({{"host", "db"}, {"prot", 5432}, {"pool", Value::object({{"max", 3}})}}));
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().message(), AllOf(HasSubstr("no option 'prot'"), HasSubstr("'port'"),
                                                HasSubstr("no option 'max'")));
  EXPECT_THAT(read_config("db", Value::object({{"port", "five"}})).error().message(),
              HasSubstr("'port'"));
  EXPECT_FALSE(read_config("db", Value{7}));
  EXPECT_FALSE(read_config("db", Value::object({{"url", "sqlite:///a.db"}})));
}

class LoadConfigTest : public testing::Test {
protected:
  // NOLINTBEGIN(concurrency-mt-unsafe): the tests of a process run one after the other
  ~LoadConfigTest() override {
    for (const auto& name : names_)
      unsetenv(name.c_str());
  }

  void set(const std::string& name, const std::string& value) {
    names_.push_back(name);
    setenv(name.c_str(), value.c_str(), 1);
  }

  // NOLINTEND(concurrency-mt-unsafe)

  test::Scratch scratch_;

private:
  std::vector<std::string> names_;
};

TEST_F(LoadConfigTest, TheEnvironmentAloneIsEnough) {
  set("MILLRACE_SERVERS__MY_DB__URL", "postgresql://db/shop");
  set("MILLRACE_SERVERS__MY_DB__POOL__MAX_SIZE", "6");
  set("MILLRACE_SERVERS__MY_DB__POOL_RECYCLE", "60");
  const auto settings = load_config("my-db");
  ASSERT_TRUE(settings) << settings.error().to_string();
  EXPECT_EQ((*settings)->dbname, "shop");
  EXPECT_EQ((*settings)->pool.max_size, 6U);
  EXPECT_EQ((*settings)->pool.max_lifetime, 60s);
  EXPECT_FALSE(load_config("other"));
}

TEST_F(LoadConfigTest, LaterSourcesWin) {
  ConfigSources sources;
  sources.file = scratch_.write("servers.json", R"({
    "profiles": {
      "default": {"servers": {"primary": {"dbname": "a", "pool": {"max_size": 2, "min_size": 1}},
                              "replica": {"dbname": "r"}}},
      "production": {"servers": {"primary": {"dbname": "b", "user": "ada"}}}},
    "servers": {"primary": {"host": "db1", "statement_timeout": "2s"},
                "replica": {"host": "db2", "target_session_attrs": "standby"}}})");
  sources.secrets = scratch_.write("secrets.json",
                                   R"({"servers": {"primary": {"password": "planted"}}})");
  std::filesystem::permissions(sources.secrets, std::filesystem::perms::owner_read);
  sources.profile = "production";
  set("MILLRACE_SERVERS__PRIMARY__POOL__MAX_SIZE", "9");
  const auto primary = load_config("primary", sources);
  ASSERT_TRUE(primary) << primary.error().to_string();
  EXPECT_EQ((*primary)->dbname, "b");
  EXPECT_EQ((*primary)->user, "ada");
  EXPECT_EQ((*primary)->hosts.front().host, "db1");
  EXPECT_EQ((*primary)->password.reveal(), "planted");
  EXPECT_EQ((*primary)->pool.max_size, 9U);
  const auto replica = load_config("replica", sources);
  ASSERT_TRUE(replica);
  EXPECT_EQ((*replica)->dbname, "r");
  EXPECT_EQ((*replica)->target_session_attrs, "standby");
  sources.profile = "prodution";
  EXPECT_THAT(load_config("primary", sources).error().message(), HasSubstr("prodution"));
}

TEST_F(LoadConfigTest, SecretsThatOthersMayReadAreRefused) {
  ConfigSources sources;
  sources.secrets = scratch_.write("secrets.json", R"({"servers": {}})");
  std::filesystem::permissions(sources.secrets, std::filesystem::perms::owner_read
                                                  | std::filesystem::perms::others_read);
  const auto refused = load_config("primary", sources);
  EXPECT_THAT(refused.error().message(), HasSubstr("other users may read"));
  EXPECT_THAT(refused.error().hint(), HasSubstr("chmod 600"));
}

TEST_F(LoadConfigTest, MistakesSayWhereTheyStandAndHideWhatIsSecret) {
  set("MILLRACE_SERVERS__DB__PORT", "planted");
  set("MILLRACE_SERVERS__DB__URL", "postgresql://ada:planted@db:99999/shop");
  const auto refused = load_config("db");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(),
              AllOf(HasSubstr("MILLRACE_SERVERS__DB__PORT"), Not(HasSubstr("planted"))));
  EXPECT_THAT(load_config("db", {.file = "/no/such/file"}).error().code(), "ENOENT");
}

}  // namespace
}  // namespace millrace::postgres
