// What the engine does with a program's databases before the sources start.
#include "actors/db/drivers.hpp"
#include "actors/engine.hpp"
#include "connectors/asio/reactor.hpp"
#include "dsl/program.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::actors {
namespace {

class EngineInitTest : public testing::Test {
protected:
  sdk::Status start(std::vector<std::string> init, bool stopped = false) {
    auto program = std::make_shared<dsl::Program>();
    dsl::ServerProgram server;
    server.name = "main";
    server.protocol = "database";
    server.driver = "sqlite";
    server.connector = &sqlite::connector;
    server.database = std::make_shared<sdk::DatabaseSettings>(sqlite_case(file.path()).settings);
    server.init = std::move(init);
    program->servers.push_back(std::move(server));
    auto reactor = asio::make_reactor({.threads = 1});
    EngineServices services;
    services.reactor = reactor.get();
    Engine engine{{}, services};
    if (stopped)
      engine.stop(std::chrono::milliseconds{0});
    return engine.start(program);
  }

  TemporaryFile file;
};

TEST_F(EngineInitTest, RunsTheStatementsInOrderBeforeItStarts) {
  const auto started = start(
    {"CREATE TABLE scores (id INTEGER PRIMARY KEY)", "INSERT INTO scores VALUES (1)"});
  ASSERT_TRUE(started) << started.error().to_string();
  const auto again = start({"INSERT INTO scores VALUES (1)"});
  ASSERT_FALSE(again) << "the row was not there";
  EXPECT_EQ(again.error().kind(), sdk::ErrorKind::execution);
  EXPECT_NE(again.error().message().find("server 'main': an init statement failed"),
            std::string::npos)
    << again.error().to_string();
}

TEST_F(EngineInitTest, WaitsForNoStatementOnceItIsToStop) {
  // It would never end.
  const auto started = start({"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                              "SELECT count(*) FROM n"},
                             true);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind(), sdk::ErrorKind::cancelled);
}

/// Nobody listens on port 1.
std::shared_ptr<const dsl::Program> with_a_server_that_is_down() {
  auto program = std::make_shared<dsl::Program>();
  dsl::ServerProgram server;
  server.name = "main";
  server.protocol = "database";
  server.driver = "postgres";
  server.connector = &postgres::connector;
  sdk::DatabaseSettings settings;
  settings.name = "main";
  settings.driver = "postgres";
  settings.hosts = {{"127.0.0.1", 1}};
  settings.user = "ada";
  settings.dbname = "shop";
  server.database = std::make_shared<sdk::DatabaseSettings>(std::move(settings));
  server.init = {"SELECT 1"};
  program->servers.push_back(std::move(server));
  return program;
}

TEST(EngineInitDownTest, ARunThatIsToEndSaysSoAtOnce) {
  auto reactor = asio::make_reactor({.threads = 1});
  EngineServices services;
  services.reactor = reactor.get();
  EngineOptions options;
  options.once = true;
  Engine engine{options, services};
  const auto started = engine.start(with_a_server_that_is_down());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().kind(), sdk::ErrorKind::connection);
}

/// Tells of the first warning that it gets.
class WarnedLog final : public sdk::Log {
public:
  bool enabled(sdk::LogLevel) const noexcept override { return true; }

  void write(sdk::LogLevel level, std::string_view event,
             std::span<const sdk::LogField>) noexcept override {
    if (level == sdk::LogLevel::warn && event == "server cannot be reached, its init waits"
        && !told_.exchange(true))
      warned.set_value();
  }

  std::promise<void> warned;

private:
  std::atomic<bool> told_{false};
};

TEST(EngineInitDownTest, ALongLivedRunWaitsForTheServerUntilItIsStopped) {
  WarnedLog log;
  auto reactor = asio::make_reactor({.threads = 1});
  EngineServices services;
  services.reactor = reactor.get();
  services.log = &log;
  Engine engine{{}, services};
  auto started = std::async(std::launch::async,
                            [&] { return engine.start(with_a_server_that_is_down()); });
  ASSERT_EQ(log.warned.get_future().wait_for(std::chrono::seconds{20}), std::future_status::ready);
  engine.stop(std::chrono::milliseconds{0});
  const auto status = started.get();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), sdk::ErrorKind::cancelled);
}

}  // namespace
}  // namespace millrace::actors
