#include "connectors/generate/source.hpp"

#include "connectors/generate/pacer.hpp"
#include "connectors/sdk/worker.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

namespace millrace::generate {
namespace {

constexpr std::uint64_t intake_records = 512;
constexpr std::size_t record_bytes = 64;  // what a record counts for the credit, at least

}  // namespace

GenerateSource::~GenerateSource() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

void GenerateSource::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
}

sdk::Status GenerateSource::start(const sdk::SourceContext& context) {
  context_ = context;
  if (context.once && !config_->count)
    return sdk::Error{sdk::ErrorKind::config,
                      "a generator without 'count' never ends, so it cannot run once",
                      {.hint = "say how many: count: 1000"}};
  const bool is_fixed = std::ranges::all_of(
    config_->set, [](const auto& member) { return member.second->constant() != nullptr; });
  if (!config_->set.empty() && is_fixed) {
    fixed_ = sdk::Value::object();
    for (const auto& [name, value] : config_->set)
      fixed_.set(name, *value->constant());
  }
  thread_ = sdk::start_thread("generate", [this] {
    run();
    context_.events->end();
  });
  return {};
}

void GenerateSource::run() {
  const auto lane = std::make_shared<sdk::Lane>(context_.name);
  const std::uint64_t end = config_->count.value_or(std::numeric_limits<std::uint64_t>::max());
  std::optional<Pacer> pacer;
  if (config_->rate)
    pacer.emplace(config_->rate->per_second, context_.clock->now());
  for (std::uint64_t n = 0; n < end;) {
    std::uint64_t count = std::min(intake_records, end - n);
    if (pacer) {
      if (!wait_until(pacer->next()))
        return;
      count = std::min(count, pacer->due(context_.clock->now()));
      pacer->take(count);
    }
    if (count > 0 && !emit(n, count, lane))
      return;
    n += count;
  }
}

bool GenerateSource::emit(std::uint64_t first, std::uint64_t count, const sdk::LanePtr& lane) {
  sdk::Intake intake{.lane = lane};
  intake.records.reserve(count);
  for (std::uint64_t n = first; n < first + count; ++n) {
    sdk::Record& record = intake.records.emplace_back();
    record.position = n;
    auto value = make(n);
    if (value) {
      intake.bytes += record_bytes;
      record.set(context_.output, std::move(*value));
    } else {
      record.set(context_.output, sdk::Value::object({{"n", n}}));
      intake.failures.push_back(
        {.index = static_cast<std::uint32_t>(n - first), .error = std::move(value).error()});
    }
  }
  if (!context_.events->wait_for_credit())
    return false;
  context_.events->emit(std::move(intake));
  const std::lock_guard lock{mutex_};
  return !stopping_;
}

sdk::Result<sdk::Value> GenerateSource::make(std::uint64_t n) const {
  if (!fixed_.is_null())
    return fixed_;
  sdk::Value number = sdk::Value::object({{"n", n}});
  if (config_->set.empty())
    return number;
  sdk::Record record;
  record.set(context_.output, std::move(number));
  sdk::Value made = sdk::Value::object();
  made.reserve(config_->set.size());
  for (const auto& [name, expression] : config_->set) {
    auto value = expression->evaluate({.record = &record});
    if (!value)
      return value;
    made.set(name, std::move(*value));
  }
  return made;
}

bool GenerateSource::wait_until(sdk::Instant due) {
  std::unique_lock lock{mutex_};
  while (!stopping_) {
    const auto now = context_.clock->now();
    if (now >= due)
      return true;
    changed_.wait_for(lock, due - now);
  }
  return false;
}

}  // namespace millrace::generate
