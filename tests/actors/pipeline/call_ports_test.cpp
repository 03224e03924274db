#include "actors/pipeline/call_ports.hpp"
#include "actors/pipeline/source_hub.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

class CallPortTest : public testing::Test {
protected:
  CallPortTest() {
    port->add_caller();
    source = port->source_factory()();
    sdk::SourceContext context;
    context.output = 0;
    context.events = hub.get();
    EXPECT_TRUE(source->start(context));
  }

  void call() {
    port->call(sdk::Value{1}, [this](const CallReply& reply) {
      ++replies;
      last = reply;
    });
  }

  std::shared_ptr<SourceHub> hub = std::make_shared<SourceHub>(1, 1024);
  std::shared_ptr<CallPort> port = std::make_shared<CallPort>("score");
  sdk::SourcePtr source;
  int replies = 0;
  CallReply last;
};

TEST_F(CallPortTest, WaitsForCreditAlsoWhereTheSourceIsToStop) {
  call();
  call();
  hub->stop();
  EXPECT_EQ(hub->take().intakes.size(), 1u);
  hub->give_back(1, 0);
  EXPECT_EQ(hub->take().intakes.size(), 1u) << "the caller drains, and needs its answer";
}

TEST_F(CallPortTest, DoesNotAskAgainWhereItIsCalledBackWithoutCredit) {
  // Credit that never comes, and a hub that says at once that it might have.
  struct Eager final : sdk::SourceEvents {
    void emit(sdk::Intake) override { ADD_FAILURE(); }

    void end() override {}

    void fail(sdk::Error) override {}

    bool has_credit() const noexcept override { return false; }

    bool wait_for_credit() override { return false; }

    void when_credit(std::function<void()> resume) override {
      ++asked;
      resume();
    }

    int asked = 0;
  };

  Eager eager;
  auto other = port->source_factory()();
  sdk::SourceContext context;
  context.events = &eager;
  ASSERT_TRUE(other->start(context));
  call();
  EXPECT_EQ(eager.asked, 1);
}

TEST_F(CallPortTest, EndsAfterTheLastCallerWhereItIsToStop) {
  source->stop();
  EXPECT_FALSE(hub->take().ended) << "whoever calls drains as well";
  call();
  EXPECT_EQ(hub->take().intakes.size(), 1u);
  port->remove_caller();
  EXPECT_TRUE(hub->take().ended);
  source->answer(sdk::Lane{"call"}, 0, sdk::Outcome::delivered, sdk::Value{2});
  EXPECT_EQ(replies, 1);
  EXPECT_EQ(last.outcome, sdk::Outcome::delivered);
}

TEST_F(CallPortTest, FailsWhatWaitsOnceItsPipelineHasEnded) {
  call();
  port->close();
  EXPECT_EQ(replies, 1);
  EXPECT_EQ(last.outcome, sdk::Outcome::failed);
  EXPECT_EQ(last.error->message(), "pipeline 'score' has ended");
}

}  // namespace
}  // namespace millrace::actors
