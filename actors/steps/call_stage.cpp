// `type: pipeline`: each record is a call of another pipeline, whose result becomes the output.
#include "actors/pipeline/call_ports.hpp"
#include "actors/steps/stages.hpp"

#include <algorithm>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

class CallStage final : public Stage {
public:
  CallStage(const dsl::StepProgram& step, const dsl::CallPipeline& body,
            std::shared_ptr<CallPort> port)
    : step_{step}, body_{body}, port_{std::move(port)} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    post_ = context.post();
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    Work work;
    std::vector<std::pair<std::uint32_t, sdk::Value>> inputs;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      auto input = body_.input->evaluate({&batch[i], nullptr});
      if (input)
        inputs.emplace_back(i, std::move(*input));
      else
        work.failures.push_back({i, std::move(input).error()});
    }
    work.open = inputs.size();
    work.gone.resize(batch.size());
    work.waits.resize(batch.size());
    for (const auto& [index, input] : inputs)
      work.waits[index] = true;
    work.batch = std::move(batch);
    if (inputs.empty()) {
      give_back(std::move(work), ticket);
      return;
    }
    works_.emplace(ticket, std::move(work));
    if (step_.timeout)
      context_->after(*step_.timeout, ticket);
    for (auto& [index, input] : inputs) {
      port_->call(std::move(input), [this, post = post_, ticket, i = index](CallReply reply) {
        post([this, ticket, i, reply = std::move(reply)] { on_reply(ticket, i, reply); });
      });
    }
  }

  // The time is up for what has no answer by now.
  void on_timer(std::uint64_t ticket) override {
    const auto found = works_.find(ticket);
    if (found == works_.end())
      return;
    auto work = std::move(found->second);
    works_.erase(found);
    sdk::Error::Detail detail;
    detail.outcome_unknown = true;
    const sdk::Error error{sdk::ErrorKind::timeout,
                           "pipeline '" + body_.pipeline + "' gave no answer within "
                             + std::to_string(step_.timeout->count()) + " ms",
                           std::move(detail)};
    for (std::uint32_t i = 0; i < work.waits.size(); ++i) {
      if (work.waits[i])
        work.failures.push_back({i, error});
    }
    give_back(std::move(work), ticket);
  }

private:
  struct Work {
    sdk::Batch batch;
    std::vector<sdk::Failure> failures;
    std::vector<bool> gone;   // ended in the other pipeline
    std::vector<bool> waits;  // not answered
    std::size_t open = 0;
  };

  void on_reply(Ticket ticket, std::uint32_t index, const CallReply& reply) {
    const auto found = works_.find(ticket);
    if (found == works_.end())
      return;  // too late
    auto& work = found->second;
    work.waits[index] = false;
    if (reply.error) {
      work.failures.push_back({index, *reply.error});
    } else if (reply.outcome == sdk::Outcome::skipped
               || reply.outcome == sdk::Outcome::dead_lettered) {
      // It failed there, and was dealt with there: it must not flow on here as if it had not.
      work.batch.settle_one(index, reply.outcome);
      work.gone[index] = true;
    } else if (step_.output != sdk::no_slot) {
      work.batch[index].set(step_.output, reply.answer);
    }
    if (--work.open > 0)
      return;
    auto done = std::move(work);
    works_.erase(found);
    give_back(std::move(done), ticket);
  }

  void give_back(Work work, Ticket ticket) {
    std::sort(work.failures.begin(), work.failures.end(),
              [](const sdk::Failure& a, const sdk::Failure& b) { return a.index < b.index; });
    std::uint32_t gone = 0;
    std::uint32_t at = 0;
    for (auto& failure : work.failures) {
      for (; at < failure.index; ++at)
        gone += work.gone[at] ? 1 : 0;
      failure.index -= gone;
    }
    work.batch.extract(work.gone);
    context_->done(ticket, std::move(work.batch), std::move(work.failures));
  }

  const dsl::StepProgram& step_;
  const dsl::CallPipeline& body_;
  std::shared_ptr<CallPort> port_;
  StageContext* context_ = nullptr;
  StagePost post_;
  std::unordered_map<Ticket, Work> works_;
};

}  // namespace

sdk::Result<StagePtr> make_call_stage(const dsl::StepProgram& step, const dsl::CallPipeline& body,
                                      const StageEnv& env) {
  auto port = env.calls ? env.calls->find(body.pipeline) : nullptr;
  if (!port)
    return sdk::Error{sdk::ErrorKind::config,
                      "pipeline '" + body.pipeline + "' does not take calls"};
  return StagePtr{std::make_unique<CallStage>(step, body, std::move(port))};
}

}  // namespace millrace::actors
