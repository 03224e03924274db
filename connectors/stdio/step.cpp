#include "connectors/stdio/step.hpp"

#include <utility>

namespace millrace::stdio {

StdoutStep::StdoutStep(std::shared_ptr<const StdoutConfig> config, int fd)
  : config_{std::move(config)},
    target_{std::make_shared<StreamTarget>(fd)},
    encoder_{config_->format} {
}

StdoutStep::~StdoutStep() {
  target_->abort();
}

sdk::Status StdoutStep::start(const sdk::StepContext& context) {
  context_ = context;
  return {};
}

void StdoutStep::process(sdk::Batch batch, sdk::StepDone done) {
  if (config_->table)
    write_table(std::move(batch), std::move(done));
  else
    write_lines(std::move(batch), std::move(done));
}

sdk::Result<sdk::Value> StdoutStep::value_of(const sdk::Record& record) const {
  if (config_->value)
    return config_->value->evaluate({.record = &record});
  return record.get(context_.input);
}

void StdoutStep::write_lines(sdk::Batch batch, sdk::StepDone done) {
  std::string bytes = writer_.buffer();
  std::vector<sdk::Failure> failures;
  for (std::uint32_t row = 0; row < batch.size(); ++row) {
    auto value = value_of(batch[row]);
    auto status = value ? encoder_.append(bytes, *value) : sdk::Status{std::move(value).error()};
    if (!status)
      failures.push_back({.index = row, .error = std::move(status).error()});
  }
  std::vector<sdk::BatchWriter::Part> parts;
  parts.push_back(
    {.target = target_, .piece = {.bytes = std::move(bytes), .header = encoder_.header()}});
  writer_.submit(std::move(batch), std::move(parts), std::move(failures), std::move(done));
}

void StdoutStep::write_table(sdk::Batch batch, sdk::StepDone done) {
  Held held{.batch = std::move(batch), .done = std::move(done)};
  for (std::uint32_t row = 0; row < held.batch.size(); ++row) {
    if (auto value = value_of(held.batch[row]))
      held.rows.push_back(std::move(*value));
    else
      held.failures.push_back({.index = row, .error = std::move(value).error()});
  }
  const std::lock_guard lock{mutex_};
  if (flowing_)
    return put_rows(std::move(held));
  for (const sdk::Value& row : held.rows)
    table_.measure(row);
  if (held_.empty())
    writer_.post_at(std::chrono::steady_clock::now() + first_wait, [this] {
      const std::lock_guard relock{mutex_};
      release_held();
    });
  held_rows_ += held.rows.size();
  held_.push_back(std::move(held));
  if (held_rows_ >= first_rows)
    release_held();
}

void StdoutStep::put_rows(Held held) {
  std::string text = writer_.buffer();
  for (const sdk::Value& row : held.rows)
    table_.append(text, row);
  std::vector<sdk::BatchWriter::Part> parts;
  parts.push_back({.target = target_, .piece = {.bytes = std::move(text), .header = {}}});
  writer_.submit(std::move(held.batch), std::move(parts), std::move(held.failures),
                 std::move(held.done));
}

void StdoutStep::release_held() {
  flowing_ = true;
  for (Held& held : std::exchange(held_, {}))
    put_rows(std::move(held));
}

void StdoutStep::finish(std::function<void(sdk::Status)> done) {
  {
    const std::lock_guard lock{mutex_};
    release_held();
  }
  writer_.post([done = std::move(done)] { done({}); });
}

}  // namespace millrace::stdio
