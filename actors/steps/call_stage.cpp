// `type: pipeline`: each record is a call of another pipeline, whose result becomes the output.
#include "actors/pipeline/call_ports.hpp"
#include "actors/steps/held_batch.hpp"
#include "actors/steps/stages.hpp"

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
    Work work{HeldBatch{std::move(batch), ticket}, {}, 0};
    auto& whole = work.held.batch();
    std::vector<std::pair<std::uint32_t, sdk::Value>> inputs;
    for (std::uint32_t i = 0; i < whole.size(); ++i) {
      auto input = body_.input->evaluate({&whole[i], nullptr});
      if (input)
        inputs.emplace_back(i, std::move(*input));
      else
        work.held.fail(i, std::move(input).error());
    }
    work.open = inputs.size();
    work.waits.resize(whole.size());
    for (const auto& [index, input] : inputs)
      work.waits[index] = true;
    if (inputs.empty()) {
      work.held.give_back(*context_);
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
        work.held.fail(i, error);
    }
    work.held.give_back(*context_);
  }

private:
  struct Work {
    HeldBatch held;
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
      work.held.fail(index, *reply.error);
    } else if (reply.outcome == sdk::Outcome::skipped
               || reply.outcome == sdk::Outcome::dead_lettered) {
      // It failed there, and was dealt with there: it must not flow on here as if it had not.
      work.held.settle(index, {.outcome = reply.outcome});
    } else if (step_.output != sdk::no_slot) {
      work.held.batch()[index].set(step_.output, reply.answer);
    }
    if (--work.open > 0)
      return;
    auto held = std::move(work.held);
    works_.erase(found);
    held.give_back(*context_);
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
