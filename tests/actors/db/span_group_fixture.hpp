// SpanGroupTest: a pipeline with one transaction over given rows, on each driver, whose sinks keep
// what reaches them.
//
//   make_rows(seed);
//   Seen seen;
//   auto program = load(steps);       // begins, works, commits; the last step is a sink
//   keep(program->pipelines.front(), seen, {"in"});
//   run(program);
#pragma once

#include "actors/engine.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/json.hpp"
#include "dsl/load.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"
#include "tests/dsl/document/fake_connectors.hpp"
#include "tests/support/fake_environment.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace millrace::actors {

/// What reached the sinks, as text.
struct Seen {
  std::mutex mutex;
  std::vector<std::string> delivered;
  std::vector<std::string> dead;

  std::size_t count() {
    const std::lock_guard lock{mutex};
    return delivered.size() + dead.size();
  }
};

class Rows final : public sdk::Source {
public:
  explicit Rows(const std::vector<sdk::Value>& rows) : rows_{rows} {}

  sdk::Status start(const sdk::SourceContext& context) override {
    const sdk::LanePtr lanes[] = {std::make_shared<sdk::Lane>("a"),
                                  std::make_shared<sdk::Lane>("b")};
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      sdk::Intake intake;
      intake.lane = lanes[i % 2];
      intake.records.emplace_back().set(context.output, rows_[i]);
      context.events->emit(std::move(intake));
    }
    context.events->end();
    return {};
  }

  void stop() override {}

private:
  const std::vector<sdk::Value>& rows_;
};

/// Keeps slots of what it gets, as JSON.
class Keep final : public sdk::Step {
public:
  Keep(Seen& seen, std::vector<std::string> Seen::*kept, std::vector<sdk::Slot> slots)
    : seen_{seen}, kept_{kept}, slots_{std::move(slots)} {}

  void process(sdk::Batch batch, sdk::StepDone done) override {
    {
      const std::lock_guard lock{seen_.mutex};
      for (const auto& record : batch.records()) {
        std::string line;
        for (const auto slot : slots_)
          line += sdk::to_json(record.get(slot)) + " ";
        (seen_.*kept_).push_back(std::move(line));
      }
    }
    done(std::move(batch), {});
  }

private:
  Seen& seen_;
  std::vector<std::string> Seen::*kept_;
  std::vector<sdk::Slot> slots_;
};

inline constexpr const char* span_head = R"yaml(
servers: {db: {url: "DRIVER"}}
pipelines:
  spans:
    onError: {then: deadLetter}
    deadLetter: {name: dead, type: stdout}
    steps:
      - {name: in, type: stdin}
)yaml";

class SpanGroupTest : public testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    if (GetParam() == "sqlite") {
      case_ = sqlite_case(file_.path());
    } else {
      auto* server = test::PostgresServer::shared();
      if (server == nullptr)
        GTEST_SKIP() << test::PostgresServer::why_not();
      case_ = postgres_case(*server);
      case_.settings.application_name = "spans";
    }
    auto helper = case_.settings;
    helper.application_name = "helper";
    helper_ = std::make_unique<PoolFixture>(helper, *case_.driver);
    if (GetParam() == "postgres") {
      EXPECT_TRUE(helper_->run("CREATE SCHEMA IF NOT EXISTS " + test_schema()));
    }
    make_tables();
  }

  void make_tables() {
    for (const auto* sql : {"DROP TABLE IF EXISTS a", "DROP TABLE IF EXISTS b",
                            "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER)",
                            "CREATE TABLE b (id INTEGER UNIQUE, n INTEGER CHECK (n < 90))"})
      EXPECT_TRUE(helper_->run(sql)) << sql;
    if (GetParam() == "postgres") {  // refused at COMMIT only
      EXPECT_TRUE(
        helper_->run("ALTER TABLE b ADD CONSTRAINT late EXCLUDE (n WITH =) WHERE (n = 77) "
                     "DEFERRABLE INITIALLY DEFERRED"));
    }
  }

  std::shared_ptr<dsl::Program> load(const std::string& steps) {
    test::FakeEnvironment world;
    auto text = span_head + steps;
    text.replace(text.find("DRIVER"), 6,
                 GetParam() == "sqlite" ? "sqlite:///x.db" : "postgresql://h/x");
    world.files["spans.yaml"] = text;
    auto loaded = dsl::load(
      {.files = {"spans.yaml"}, .connectors = test::fake_connectors(), .environment = &world});
    EXPECT_NE(loaded.program, nullptr) << loaded.diagnostics.to_string();
    // Made by this load, and not shared yet.
    auto program = std::const_pointer_cast<dsl::Program>(loaded.program);
    auto& server = program->servers.front();
    server.connector = GetParam() == "sqlite" ? &sqlite::connector : &postgres::connector;
    server.database = std::make_shared<sdk::DatabaseSettings>(case_.settings);
    auto& pipeline = program->pipelines.front();
    pipeline.source.make = [this] { return std::make_unique<Rows>(rows_); };
    return program;
  }

  static sdk::Slot slot(const dsl::PipelineProgram& pipeline, const std::string& name) {
    const auto found = std::ranges::find(pipeline.slots, name);
    EXPECT_NE(found, pipeline.slots.end()) << name;
    return static_cast<sdk::Slot>(found - pipeline.slots.begin());
  }

  void keep(dsl::PipelineProgram& pipeline, Seen& seen, const std::vector<std::string>& names) {
    std::vector<sdk::Slot> slots;
    slots.reserve(names.size() + 1);
    for (const auto& name : names)
      slots.push_back(slot(pipeline, name));
    auto& out = std::get<dsl::ConnectorCall>(pipeline.steps.steps.back()->body);
    out.make = [&seen, slots] { return std::make_unique<Keep>(seen, &Seen::delivered, slots); };
    auto with_error = slots;
    with_error.push_back(pipeline.steps.steps.front()->errors.error_slot);
    auto& dead = std::get<dsl::ConnectorCall>(pipeline.dead_letter->body);
    pipeline.dead_letter_shape.reset();
    dead.make = [&seen, with_error] {
      return std::make_unique<Keep>(seen, &Seen::dead, with_error);
    };
  }

  void run(const std::shared_ptr<dsl::Program>& program,
           const std::function<void()>& meanwhile = {}) {
    auto reactor = asio::make_reactor({.threads = 1});
    EngineServices services;
    services.reactor = reactor.get();
    {
      Engine engine{{}, services};
      const auto started = engine.start(program);
      ASSERT_TRUE(started) << started.error().to_string();
      while (!engine.wait_for(std::chrono::milliseconds{1})) {
        if (meanwhile)
          meanwhile();
      }
      const auto status = engine.status().front();
      EXPECT_EQ(status.state, PipelineState::finished);
      EXPECT_EQ(status.open, 0U);
    }
    reactor->stop();
  }

  std::string tables() {
    return sdk::to_json(helper_->rows("SELECT id, n FROM a ORDER BY id")) + " "
           + sdk::to_json(helper_->rows("SELECT id, n FROM b ORDER BY id"));
  }

  /// Some ids come twice, some numbers are too high, some are none.
  void make_rows(std::uint32_t seed) {
    std::mt19937 random{seed};
    for (int i = 0; i < 120; ++i) {
      const auto m = static_cast<std::int64_t>(random() % 100);
      rows_.push_back(sdk::Value::object(
        {{"id", static_cast<std::int64_t>(random() % 150)},
         {"n", static_cast<std::int64_t>(random() % 10)},
         {"m", m % 10 == 5 ? sdk::Value{"none"} : sdk::Value{m % 8 == 0 ? 77 : m}}}));
    }
    // Of each id one lane only: between lanes there is no order.
    for (std::size_t i = 0; i < rows_.size(); ++i)
      rows_[i].set("id", rows_[i].find("id")->as_integer() * 2 + static_cast<std::int64_t>(i % 2));
    // The late constraint is between all rows, so only one lane may meet it.
    for (std::size_t i = 1; i < rows_.size(); i += 2) {
      if (rows_[i].find("m")->is_integer() && rows_[i].find("m")->as_integer() == 77)
        rows_[i].set("m", 1);
    }
  }

  TemporaryFile file_;
  DriverCase case_;
  std::unique_ptr<PoolFixture> helper_;
  std::vector<sdk::Value> rows_;
};

}  // namespace millrace::actors
