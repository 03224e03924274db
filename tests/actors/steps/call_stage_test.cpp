// `type: pipeline`: records wait for another pipeline's answers, but not for ever.
#include "actors/pipeline/call_ports.hpp"
#include "actors/pipeline/source_hub.hpp"
#include "actors/steps/stage_fixture.hpp"
#include "actors/steps/stages.hpp"

#include <gmock/gmock.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::Outcome;
using sdk::Value;
using testing::ElementsAre;

class CallStageTest : public StageFixture {
protected:
  CallStageTest() {
    step_.output = 1;
    step_.timeout = 100ms;
    body_.pipeline = "score";
    body_.input = slot_value(0);
    ports_.add("score");
    source_ = ports_.find("score")->source_factory()();
    ports_.find("score")->add_caller();
    sdk::SourceContext context;
    context.output = 0;
    context.events = hub_.get();
    EXPECT_TRUE(source_->start(context));
    StageEnv env;
    env.calls = &ports_;
    start(std::move(*make_call_stage(step_, body_, env)));
  }

  ~CallStageTest() override { source_.reset(); }

  void answer(std::uint64_t call, int with) {
    source_->answer(sdk::Lane{"call"}, call, Outcome::delivered, Value{with});
    run_tasks();
  }

  dsl::CallPipeline body_;
  CallPorts ports_;
  std::shared_ptr<SourceHub> hub_ = std::make_shared<SourceHub>(100, 10'000);
  sdk::SourcePtr source_;
};

TEST_F(CallStageTest, GoesOnWithTheAnswers) {
  process({1, 2});
  answer(1, 20);
  EXPECT_TRUE(done_.empty());
  answer(0, 10);
  EXPECT_EQ(out(1), "[10,20]");
  pass(100ms);
  EXPECT_EQ(done_.size(), 1u);
}

TEST_F(CallStageTest, FailsWhatHasNoAnswerWhenItsTimeIsUp) {
  process({1, 2});
  answer(0, 10);
  pass(99ms);
  EXPECT_TRUE(done_.empty());
  pass(1ms);
  EXPECT_THAT(failures(), ElementsAre("1 pipeline 'score' gave no answer within 100 ms"));
  EXPECT_EQ(done_.front().failures[0].error.kind(), sdk::ErrorKind::timeout);
  answer(1, 20);
  EXPECT_EQ(done_.size(), 1u) << "too late";
}

}  // namespace
}  // namespace millrace::actors
