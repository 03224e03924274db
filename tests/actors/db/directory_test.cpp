// Databases that are named by their settings.
#include "actors/db/directory.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

const sdk::DatabaseDriver* find_driver(std::string_view name) {
  if (name == "sqlite")
    return sqlite::connector.database();
  return name == "postgres" ? postgres::connector.database() : nullptr;
}

class DirectoryTest : public testing::Test {
protected:
  DirectoryTest() { open(100); }

  ~DirectoryTest() override {
    directory_->close();
    directory_.reset();
    system_.reset();
    reactor_->stop();
  }

  void open(std::size_t most_pools) {
    if (directory_)
      directory_->close();
    directory_.emplace(system_->actors, DirectorySetup{.find_driver = find_driver,
                                                       .reactor = reactor_.get(),
                                                       .most_pools = most_pools});
  }

  static DatabaseSettingsPtr settings_of(const std::string& url,
                                         std::chrono::milliseconds max_idle = 600s) {
    const auto parsed = settings_of_url(url);
    EXPECT_TRUE(parsed) << parsed.error().to_string();
    auto settings = std::make_shared<sdk::DatabaseSettings>(**parsed);
    settings->pool.max_idle = max_idle;
    return settings;
  }

  sdk::Result<sdk::SqlResult> run(const DatabaseSettingsPtr& settings, std::string sql) {
    Awaited<ExecuteReply> reply;
    directory_->execute(settings, {.sql = std::move(sql)}, reply.callback());
    return std::move(reply.get().results.front());
  }

  std::size_t pools() {
    Awaited<std::size_t> count;
    directory_->count(count.callback());
    return count.get();
  }

  struct Config : caf::actor_system_config {
    Config() { configure_scheduler(*this, 2); }
  };

  struct System {
    Config config;
    caf::actor_system actors{config};
  };

  std::unique_ptr<sdk::Reactor> reactor_ = asio::make_reactor({.threads = 1});
  std::unique_ptr<System> system_ = std::make_unique<System>();
  std::optional<DatabaseDirectory> directory_;
  TemporaryFile first_;
  TemporaryFile second_;
};

TEST_F(DirectoryTest, KeepsOnePoolPerAddress) {
  const auto first = settings_of("sqlite:///" + first_.path());
  EXPECT_TRUE(run(first, "CREATE TABLE t (id INTEGER)"));
  EXPECT_TRUE(run(settings_of("sqlite:///" + first_.path()), "INSERT INTO t VALUES (1)"));
  EXPECT_EQ(pools(), 1U);
  EXPECT_FALSE(run(settings_of("sqlite:///" + second_.path()), "SELECT * FROM t"));
  EXPECT_EQ(pools(), 2U);
}

TEST_F(DirectoryTest, OpensTransactionsToo) {
  const auto settings = settings_of("sqlite:///" + first_.path());
  ASSERT_TRUE(run(settings, "CREATE TABLE t (id INTEGER)"));
  Awaited<sdk::Result<SessionHandle>> session;
  directory_->begin(settings, {}, session.callback());
  const auto opened = session.get();
  ASSERT_TRUE(opened);
  EXPECT_TRUE(actors::run(*opened, "INSERT INTO t VALUES (1)"));
  EXPECT_TRUE(commit(*opened));
  EXPECT_EQ(run(settings, "SELECT * FROM t")->rows.size(), 1U);
}

TEST_F(DirectoryTest, ClosesAPoolThatNobodyUsesAndOpensItAgain) {
  const auto settings = settings_of("sqlite:///" + first_.path(), 30ms);
  ASSERT_TRUE(run(settings, "CREATE TABLE t (id INTEGER)"));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (pools() > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(pools(), 0U);
  EXPECT_TRUE(run(settings, "INSERT INTO t VALUES (1)"));
}

TEST_F(DirectoryTest, DoesNotCloseAPoolUnderATransaction) {
  const auto settings = settings_of("sqlite:///" + first_.path(), 10ms);
  ASSERT_TRUE(run(settings, "CREATE TABLE t (id INTEGER)"));
  std::optional<SessionHandle> session;
  {
    Awaited<sdk::Result<SessionHandle>> begun;
    directory_->begin(settings, {}, begun.callback());
    session = *begun.get();
  }
  EXPECT_TRUE(actors::run(*session, "INSERT INTO t VALUES (1)"));
  const auto until = std::chrono::steady_clock::now() + 100ms;
  while (std::chrono::steady_clock::now() < until)
    EXPECT_EQ(pools(), 1U);
  EXPECT_TRUE(commit(*session));
}

TEST_F(DirectoryTest, RefusesSettingsThatCannotWork) {
  EXPECT_EQ(settings_of_url("mysql://u:hidden@h/d").error().kind(), ErrorKind::config);
  const auto bad = settings_of_url("postgresql://u:hidden@h:99999/d");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().to_string().find("hidden"), std::string::npos);

  auto unknown = std::make_shared<sdk::DatabaseSettings>();
  unknown->driver = "oracle";
  EXPECT_EQ(run(unknown, "SELECT 1").error().kind(), ErrorKind::config);
  open(1);
  EXPECT_TRUE(run(settings_of("sqlite:///" + first_.path()), "SELECT 1"));
  EXPECT_EQ(run(settings_of("sqlite:///" + second_.path()), "SELECT 1").error().kind(),
            ErrorKind::overloaded);
}

TEST_F(DirectoryTest, TellsPoolsApartByAllThatGetsThemIn) {
  const auto one = settings_of("postgresql://u:a@h:5432/d");
  EXPECT_EQ(pool_key(*one), pool_key(*settings_of("postgres://u:a@h:5432/d")));
  for (const auto* other :
       {"postgresql://u:b@h:5432/d", "postgresql://v:a@h:5432/d", "postgresql://u:a@h:5433/d",
        "postgresql://u:a@h:5432/e", "postgresql://u:a@h:5432/d?sslmode=require"})
    EXPECT_NE(pool_key(*one), pool_key(*settings_of(other))) << other;
}

TEST_F(DirectoryTest, AnswersWhoAsksWhenItIsClosed) {
  directory_->close();
  EXPECT_EQ(run(settings_of("sqlite:///" + first_.path()), "SELECT 1").error().kind(),
            ErrorKind::connection);
}

}  // namespace
}  // namespace millrace::actors
