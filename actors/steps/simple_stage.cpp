// The stages that need nothing but the record: transform, filter, log, fail.
#include "actors/steps/stages.hpp"
#include "actors/steps/transform.hpp"
#include "connectors/sdk/json.hpp"

#include <string>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

using sdk::Failure;

/// A stage that handles each record on its own and at once; `Work` says what becomes of it.
class RecordStage : public Stage {
public:
  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    std::vector<Failure> failures;
    for (std::uint32_t i = 0; i < batch.size(); ++i) {
      if (auto done = handle(batch[i]); !done)
        failures.push_back({i, std::move(done).error()});
    }
    context_->done(ticket, std::move(batch), std::move(failures));
  }

protected:
  virtual sdk::Status handle(sdk::Record& record) = 0;

  StageContext& context() noexcept { return *context_; }

private:
  StageContext* context_ = nullptr;
};

class TransformStage final : public RecordStage {
public:
  TransformStage(sdk::Slot output, const dsl::Transform& body) : output_{output}, body_{body} {}

private:
  sdk::Status handle(sdk::Record& record) override {
    auto out = transform(body_, record);
    if (!out)
      return std::move(out).error();
    record.set(output_, std::move(*out));
    return {};
  }

  sdk::Slot output_;
  const dsl::Transform& body_;
};

class LogStage final : public RecordStage {
public:
  LogStage(std::string pipeline, std::string step, const dsl::LogMessage& body)
    : pipeline_{std::move(pipeline)}, step_{std::move(step)}, body_{body} {}

private:
  sdk::Status handle(sdk::Record& record) override {
    auto& log = context().log();
    if (!log.enabled(body_.level))
      return {};
    auto message = body_.message->evaluate({.record = &record});
    if (!message)
      return std::move(message).error();
    const std::string text = message->is_string() ? std::string{message->as_string()}
                                                  : sdk::to_json(*message);
    const sdk::LogField fields[]{{"pipeline", pipeline_}, {"step", step_}};
    log.write(body_.level, text, fields);
    return {};
  }

  std::string pipeline_;
  std::string step_;
  const dsl::LogMessage& body_;
};

class FailStage final : public RecordStage {
public:
  explicit FailStage(const dsl::Fail& body) : body_{body} {}

private:
  sdk::Status handle(sdk::Record& record) override {
    auto message = body_.message->evaluate({.record = &record});
    if (!message)
      return std::move(message).error();
    return sdk::Error{sdk::ErrorKind::failed, message->is_string()
                                                ? std::string{message->as_string()}
                                                : sdk::to_json(*message)};
  }

  const dsl::Fail& body_;
};

class FilterStage final : public Stage {
public:
  explicit FilterStage(const dsl::Filter& body) : body_{body} {}

  sdk::Status start(StageContext& context) override {
    context_ = &context;
    return {};
  }

  void process(sdk::Batch batch, Ticket ticket) override {
    std::vector<bool> dropped(batch.size(), false);
    std::vector<Failure> failures;
    bool any_dropped = false;
    std::uint32_t kept = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      auto pass = body_.when->test({.record = &batch[i]});
      if (pass && !*pass) {
        dropped[i] = any_dropped = true;
        continue;
      }
      if (!pass)
        failures.push_back({kept, std::move(pass).error()});
      ++kept;
    }
    if (any_dropped)
      batch.extract(dropped).settle(sdk::Outcome::filtered);
    context_->done(ticket, std::move(batch), std::move(failures));
  }

private:
  const dsl::Filter& body_;
  StageContext* context_ = nullptr;
};

}  // namespace

StagePtr make_transform_stage(const dsl::StepProgram& step, const dsl::Transform& body) {
  return std::make_unique<TransformStage>(step.output, body);
}

StagePtr make_filter_stage(const dsl::Filter& body) {
  return std::make_unique<FilterStage>(body);
}

StagePtr make_log_stage(const dsl::StepProgram& step, const dsl::LogMessage& body,
                        const StageEnv& env) {
  return std::make_unique<LogStage>(env.pipeline->name, step.name, body);
}

StagePtr make_fail_stage(const dsl::Fail& body) {
  return std::make_unique<FailStage>(body);
}

}  // namespace millrace::actors
