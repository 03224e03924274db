#include "connectors/redis/step.hpp"

#include "connectors/redis/clients.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

namespace millrace::redis {

/// A batch whose commands are under way. Each record is reached by one thread at a time: by
/// `process` before its command is handed over, and then by who answers it.
class RedisStep::Work final : public Caller {
public:
  Work(std::shared_ptr<const CommandConfig> config, sdk::Slot output, sdk::Batch batch,
       sdk::StepDone done)
    : config_{std::move(config)},
      output_{output},
      batch_{std::move(batch)},
      done_{std::move(done)},
      open_{batch_.size() + 1} {}

  sdk::Batch& batch() noexcept { return batch_; }

  void on_answer(std::uint32_t index, sdk::Result<Reply> answer) override {
    auto value = answer ? read_answer(*config_, *answer)
                        : sdk::Result<sdk::Value>{std::move(answer).error()};
    if (!value)
      fail(index, std::move(value).error());
    else if (output_ != sdk::no_slot)
      batch_[index].set(output_, std::move(*value));
    one_less();
  }

  void fail(std::uint32_t index, sdk::Error error) {
    const std::lock_guard lock{mutex_};
    failures_.push_back({index, std::move(error)});
  }

  // The last one hands the batch back.
  void one_less() {
    if (--open_ > 0)
      return;
    std::ranges::sort(failures_, {}, &sdk::Failure::index);
    done_(std::move(batch_), std::move(failures_));
  }

private:
  const std::shared_ptr<const CommandConfig> config_;
  const sdk::Slot output_;
  sdk::Batch batch_;
  sdk::StepDone done_;
  std::atomic<std::size_t> open_;  // commands, and one for `process`
  std::mutex mutex_;
  std::vector<sdk::Failure> failures_;
};

sdk::Status RedisStep::start(const sdk::StepContext& context) {
  context_ = context;
  auto client = config_->server->clients->get(config_->server, *context.reactor, *context.log);
  if (!client)
    return std::move(client).error();
  client_ = std::move(*client);
  return {};
}

void RedisStep::process(sdk::Batch batch, sdk::StepDone done) {
  auto work = std::make_shared<Work>(config_, context_.output, std::move(batch), std::move(done));
  const auto count = static_cast<std::uint32_t>(work->batch().size());
  std::vector<Request> requests;
  requests.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    auto command = make_command(*config_, work->batch()[index], context_.input);
    if (command) {
      requests.push_back({.bytes = std::move(command->bytes),
                          .caller = work,
                          .index = index,
                          .is_repeatable = command->is_repeatable});
    } else {
      work->fail(index, std::move(command).error());
      work->one_less();
    }
  }
  if (!requests.empty())
    client_->call(std::move(requests));
  work->one_less();
}

}  // namespace millrace::redis
