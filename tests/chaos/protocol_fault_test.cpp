// Faults at every step of the protocol, and servers that talk nonsense: the caller is answered in
// time, and what it is told is true.
#include "tests/actors/db/postgres_fixture.hpp"
#include "tests/chaos/nonsense_server.hpp"
#include "tests/support/fault_proxy.hpp"

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using sdk::ErrorKind;
using sdk::Value;
using test::Direction;
using test::Fault;
using Clock = std::chrono::steady_clock;

// A step of the protocol: the bytes that end it.
struct Step {
  std::string name;
  Direction direction;
  std::string at;
};

const std::vector<Step> steps{
  {"start-up sent", Direction::to_server, "client_encoding\0UTF8\0"s},
  {"authenticated", Direction::to_client, "R\0\0\0\x08\0\0\0\0"s},
  {"ready", Direction::to_client, "Z\0\0\0\x05I"s},
  {"parse sent", Direction::to_server, "INSERT INTO f"},
  {"parsed", Direction::to_client, "1\0\0\0\x04"s},
  {"parameters sent", Direction::to_server, "parameter"},
  {"executed", Direction::to_client, "INSERT 0 1"},
  {"sync sent", Direction::to_server, "S\0\0\0\x04"s},
};

class ProtocolFaultTest : public PostgresTest {
protected:
  void prepare() override {
    helper_ = std::make_unique<PoolFixture>(case_.settings, *case_.driver);
    make_table(*helper_, "f", "id BIGINT PRIMARY KEY, name TEXT");
    proxy_ = std::make_unique<test::FaultProxy>(test::Endpoint{server_->host(), server_->port()});
    case_.settings.hosts = {{"127.0.0.1", proxy_->port()}};
    case_.settings.connect_timeout = 300ms;
    case_.settings.statement_timeout = 200ms;
    case_.settings.pool.max_size = 1;
    case_.settings.pool.timeout = 5s;
  }

  std::int64_t rows_of(std::int64_t id) {
    return integer(*helper_, "SELECT count(*) AS n FROM f WHERE id = $1", {Value{id}});
  }

  // What a caller was told of the write of row `id`, and what is there.
  void check(std::int64_t id, const sdk::Error* error) {
    const auto there = rows_of(id);
    if (error == nullptr) {
      EXPECT_EQ(there, 1) << "confirmed, but not there";
      return;
    }
    EXPECT_TRUE(error->kind() == ErrorKind::connection || error->kind() == ErrorKind::timeout
                || error->kind() == ErrorKind::transaction)
      << error->to_string();
    if (!error->outcome_unknown()) {
      EXPECT_EQ(there, 0) << "told that it failed: " << error->to_string();
    }
    EXPECT_LE(there, 1);
  }

  std::unique_ptr<PoolFixture> helper_;
  std::unique_ptr<test::FaultProxy> proxy_;
};

TEST_F(ProtocolFaultTest, AtEveryStepOfAWriteTheCallerIsToldTheTruthInTime) {
  std::int64_t id = 0;
  for (const auto& step : steps) {
    for (const auto kind : {Fault::Kind::cut, Fault::Kind::close, Fault::Kind::half_close,
                            Fault::Kind::stall, Fault::Kind::garble, Fault::Kind::trickle}) {
      SCOPED_TRACE(step.name + ", fault " + std::to_string(static_cast<int>(kind)));
      ++id;
      proxy_->expect(Fault{.kind = kind,
                           .direction = step.direction,
                           .at = step.at,
                           .pause = 1ms,
                           .piece = 20,
                           .seed = static_cast<std::uint32_t>(id)});
      PoolFixture pool{case_.settings, *case_.driver};
      const auto began = Clock::now();
      const auto result = pool.run("INSERT INTO f VALUES ($1, $2)",
                                   {Value{id}, Value{"parameter"}});
      EXPECT_LT(Clock::now() - began, 8s);
      proxy_->heal();
      // What was stalled reaches the server now, and what it does is done when the lock is free.
      static_cast<void>(helper_->run("DO $$ BEGIN LOCK TABLE f IN SHARE MODE; END $$"));
      const auto* error = result ? nullptr : &result.error();
      check(id, error);
    }
  }
  // A cancel of the round before may have taken the place of a connection now and then.
  EXPECT_GE(proxy_->struck() * 10, static_cast<std::uint64_t>(id) * 9) << "of " << id;
}

TEST_F(ProtocolFaultTest, AtEveryStepOfATransactionTheCallerIsToldTheTruthInTime) {
  std::int64_t id = 1000;
  auto of_transactions = steps;
  of_transactions.push_back({"begin sent", Direction::to_server, "BEGIN"});
  of_transactions.push_back({"commit sent", Direction::to_server, "COMMIT"});
  of_transactions.push_back({"commit done", Direction::to_client, "COMMIT\0"s});
  for (const auto& step : of_transactions) {
    for (const auto kind :
         {Fault::Kind::cut, Fault::Kind::close, Fault::Kind::half_close, Fault::Kind::garble}) {
      SCOPED_TRACE(step.name + ", fault " + std::to_string(static_cast<int>(kind)));
      ++id;
      proxy_->expect(Fault{.kind = kind,
                           .direction = step.direction,
                           .at = step.at,
                           .seed = static_cast<std::uint32_t>(id)});
      PoolFixture pool{case_.settings, *case_.driver};
      const auto began = Clock::now();
      const auto session = pool.begin();
      if (!session) {
        check(id, &session.error());
        continue;
      }
      static_cast<void>(
        run(*session, "INSERT INTO f VALUES ($1, $2)", {Value{id}, Value{"parameter"}}));
      const auto status = commit(*session);
      EXPECT_LT(Clock::now() - began, 8s);
      proxy_->heal();
      static_cast<void>(helper_->run("DO $$ BEGIN LOCK TABLE f IN SHARE MODE; END $$"));
      check(id, status ? nullptr : &status.error());
    }
  }
}

TEST_F(ProtocolFaultTest, AResultThatEndsInTheMiddleIsAskedForAgain) {
  for (const auto kind : {Fault::Kind::cut, Fault::Kind::close, Fault::Kind::half_close}) {
    proxy_->expect(Fault{.kind = kind, .direction = Direction::to_client, .after = 40'000});
    PoolFixture pool{case_.settings, *case_.driver};
    sdk::Statement select{.sql = "SELECT i, repeat('x', 20) AS x FROM generate_series(1, 10000) i"};
    select.options.read_only = true;
    const auto result = std::move(pool.run(std::move(select)).results.front());
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(result->rows.size(), 10'000U);
  }
}

TEST_F(ProtocolFaultTest, AServerThatTalksNonsenseIsAnErrorInTime) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::cout << "seed " << seed << std::endl;
  for (std::uint64_t i = 0; i < 40; ++i) {
    NonsenseServer nonsense{seed + i};
    auto settings = case_.settings;
    settings.hosts = {{"127.0.0.1", nonsense.port()}};
    PoolFixture pool{settings, *case_.driver};
    const auto began = Clock::now();
    const auto result = pool.run("SELECT $1::int", {Value{1}});
    EXPECT_LT(Clock::now() - began, 8s) << "round " << i;
    EXPECT_FALSE(result) << "round " << i;
  }
}

}  // namespace
}  // namespace millrace::actors
