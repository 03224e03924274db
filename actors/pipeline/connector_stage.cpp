#include "actors/pipeline/connector_stage.hpp"

#include <atomic>
#include <thread>
#include <utility>

namespace millrace::actors {

namespace {

class ConnectorStage final : public Stage {
public:
  ConnectorStage(sdk::StepPtr step, sdk::StepContext context)
    : step_{std::move(step)}, step_context_{std::move(context)} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    post_ = context.post();
    return step_->start(step_context_);
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    const Turn turn{*turn_};
    step_->process(std::move(batch), [this, turn = turn_, post = post_,
                                      ticket](sdk::Batch back, std::vector<sdk::Failure> failures) {
      // Most steps that only compute or write answer at once, in this very turn.
      if (turn->load() == std::this_thread::get_id()) {
        context_->done(ticket, std::move(back), std::move(failures));
        return;
      }
      auto kept = std::make_shared<Answer>(Answer{std::move(back), std::move(failures)});
      post([this, ticket, kept] {
        context_->done(ticket, std::move(kept->batch), std::move(kept->failures));
      });
    });
  }

  void finish(std::function<void(sdk::Status)> done) override {
    step_->finish([post = post_, done = std::move(done)](sdk::Status status) {
      post([done, status = std::move(status)] { done(status); });
    });
  }

private:
  struct Answer {
    sdk::Batch batch;
    std::vector<sdk::Failure> failures;
  };

  using TurnMark = std::atomic<std::thread::id>;

  // Marks this thread as the one in which the stage is processing.
  class Turn {
  public:
    explicit Turn(TurnMark& mark) : mark_{mark} { mark_ = std::this_thread::get_id(); }

    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    ~Turn() { mark_ = std::thread::id{}; }

  private:
    TurnMark& mark_;
  };

  StageContext* context_ = nullptr;
  StagePost post_;
  std::shared_ptr<TurnMark> turn_ = std::make_shared<TurnMark>();
  sdk::StepPtr step_;
  sdk::StepContext step_context_;
};

}  // namespace

StagePtr make_connector_stage(const dsl::StepProgram& step, const dsl::ConnectorCall& call,
                              const StageEnv& env) {
  sdk::StepContext context;
  context.pipeline = env.pipeline->name;
  context.name = step.name;
  context.input = step.input;
  context.output = step.output;
  context.reactor = env.reactor;
  context.log = env.log;
  context.clock = env.clock;
  return std::make_unique<ConnectorStage>(call.make(), std::move(context));
}

}  // namespace millrace::actors
