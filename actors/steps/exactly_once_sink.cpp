// The last step of a pipeline with `delivery: exactly-once` that writes where its source's offsets
// are: each run is one batch that the connector commits with the offset behind it, or not at all.
#include "actors/steps/once_stage.hpp"
#include "actors/steps/stages.hpp"
#include "connectors/sdk/offset_run.hpp"
#include "connectors/sdk/step.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class OnceSinkStage final : public OnceStage {
public:
  OnceSinkStage(const dsl::StepProgram& step, const dsl::ConnectorCall& call, const StageEnv& env)
    : OnceStage{step, env}, sink_{call.make()} {
    sink_context_.pipeline = env.pipeline->name;
    sink_context_.name = step.name;
    sink_context_.input = step.input;
    sink_context_.output = step.output;
    sink_context_.reactor = env.reactor;
    sink_context_.log = env.log;
    sink_context_.clock = env.clock;
  }

  sdk::Status start(StageContext& context) override {
    auto started = OnceStage::start(context);
    return started ? sink_->start(sink_context_) : started;
  }

  void finish(std::function<void(sdk::Status)> done) override {
    sink_->finish([post = context().post(), done = std::move(done)](sdk::Status status) {
      post([done, status = std::move(status)] { done(status); });
    });
  }

private:
  void run(Ticket ticket) override {
    const auto& all = work(ticket).batch;
    sdk::Batch out{all.lane(), all.attempt()};
    for (std::size_t i = 0; i < work(ticket).count; ++i)
      out.add(all[i].copy(), {});
    sdk::OffsetRun::mark(out);
    sink_->process(std::move(out), [this, post = context().post(),
                                    ticket](sdk::Batch, std::vector<sdk::Failure> failures) {
      auto kept = std::make_shared<std::vector<sdk::Failure>>(std::move(failures));
      post([this, ticket, kept] { on_done(ticket, *kept); });
    });
  }

  // Any failure means that nothing of it was written.
  void on_done(Ticket ticket, const std::vector<sdk::Failure>& failures) {
    if (ledger(work(ticket)).fenced()) {
      fence(ticket, "another member has taken it over");
      return;
    }
    if (failures.empty()) {
      committed(ticket);
      return;
    }
    const auto& [index, error] = failures.front();
    if (error.retryable() || error.outcome_unknown())
      failed(ticket, error);
    else if (index > 0)
      again_with(ticket, index);
    else
      fail_first(ticket, error);
  }

  sdk::StepPtr sink_;
  sdk::StepContext sink_context_;
};

}  // namespace

StagePtr make_exactly_once_sink(const dsl::StepProgram& step, const dsl::ConnectorCall& call,
                                const StageEnv& env) {
  return std::make_unique<OnceSinkStage>(step, call, env);
}

}  // namespace millrace::actors
