// DatabaseStagesTest: the stages of database steps on a real SQLite, without their actors.
//
//   load("  - {name: q, type: database, …}\n");   // the record is `$.in`
//   use(0);
//   process({record(1)});
//   until_done();
#pragma once

#include "actors/steps/session_attachment.hpp"
#include "dsl/load.hpp"
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"
#include "tests/actors/steps/stage_fixture.hpp"
#include "tests/dsl/document/fake_connectors.hpp"
#include "tests/support/fake_environment.hpp"

#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::actors {

/// Tasks from the pool's threads, run by the test.
class Posts {
public:
  void push(std::function<void()> task) {
    const std::lock_guard lock{mutex_};
    tasks_.push_back(std::move(task));
    came_.notify_one();
  }

  /// @returns nothing where none comes in time.
  std::function<void()> take(std::chrono::milliseconds wait) {
    std::unique_lock lock{mutex_};
    if (!came_.wait_for(lock, wait, [&] { return !tasks_.empty(); }))
      return {};
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> tasks_;
};

class DatabaseStagesTest : public StageFixture {
protected:
  DatabaseStagesTest() {
    auto found = sqlite_case(file_.path());
    pool_ = std::make_unique<PoolFixture>(found.settings, *found.driver);
    pool_->rows("CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0)");
  }

  ~DatabaseStagesTest() override {
    done_.clear();
    sent_.clear();
    stages_.clear();
    stage_.reset();
    while (auto task = posts_->take(std::chrono::milliseconds{0})) {
    }
  }

  /// Compiles the steps; the record is `$.in`, in slot 0.
  void load(const std::string& steps) {
    test::FakeEnvironment world;
    world.values = {{"TABLE", "pl4nted"}};
    world.files["a.yaml"] = "name: a\nservers:\n  db: {url: \"sqlite:///x.db\"}\n  other: {url: "
                            "\"sqlite:///y.db\"}\nsteps:\n  - {name: in, type: stdin}\n"
                            + steps;
    static const std::array<const sdk::Connector*, 2> catalogue{&test::fakes::standard_in,
                                                                &sqlite::connector};
    auto loaded = dsl::load({.files = {"a.yaml"}, .connectors = catalogue, .environment = &world});
    ASSERT_NE(loaded.program, nullptr) << loaded.diagnostics.to_string();
    program_ = std::move(loaded.program);
    databases_ = {pool_->handle().for_pipelines(), pool_->handle().for_pipelines()};
    env_.program = program_.get();
    env_.pipeline = &program_->pipelines[0];
    env_.databases = &databases_;
    env_.seed = 1;
  }

  const dsl::StepProgram& step(std::size_t i) const {
    return *program_->pipelines[0].steps.steps.at(i);
  }

  /// From here on `process` goes to step `i`.
  void use(std::size_t i) {
    auto made = make_stage(step(i), env_);
    ASSERT_TRUE(made) << made.error().to_string();
    if (stage_)
      stages_.push_back(std::move(stage_));
    start(std::move(*made));
  }

  /// What came back goes to the next step.
  void hand_on(std::size_t i) {
    auto batch = std::move(done_.front().batch);
    done_.pop_front();
    out_.pop_front();
    use(i);
    stage_->process(std::move(batch), next_ticket_++);
  }

  StagePost post() override {
    return [posts = posts_](std::function<void()> task) { posts->push(std::move(task)); };
  }

  template <class Predicate>
  void until(Predicate reached) {
    while (!reached()) {
      auto task = posts_->take(patience);
      ASSERT_TRUE(task) << "nothing came";
      task();
    }
  }

  void until_done(std::size_t count = 1) {
    until([&] { return done_.size() >= count; });
  }

  sdk::Value output(std::size_t i) const { return out_.front()->records()[i].get(step(0).output); }

  std::string table() { return sdk::to_json(pool_->rows("SELECT id, n FROM t ORDER BY id")); }

  void all_returned() {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (pool_->info().checked_out > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::yield();
    EXPECT_EQ(pool_->info().checked_out, 0U);
  }

  TemporaryFile file_;
  std::unique_ptr<PoolFixture> pool_;
  std::shared_ptr<const dsl::Program> program_;
  std::vector<DatabaseHandle> databases_;
  StageEnv env_;
  std::shared_ptr<Posts> posts_ = std::make_shared<Posts>();
  std::vector<StagePtr> stages_;
};

inline sdk::Value record(std::int64_t id, std::int64_t n = 0) {
  return sdk::Value::object({{"id", id}, {"n", n}});
}

}  // namespace millrace::actors
