#include "connectors/timer/source.hpp"

#include "connectors/sdk/worker.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>

namespace millrace::timer {
namespace {

using namespace std::chrono_literals;

// A clock that is set is noticed at the latest after this.
constexpr std::chrono::nanoseconds longest_wait = 1min;

}  // namespace

std::string iso_time(sdk::WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time - seconds).count();
  const std::time_t raw = sdk::WallTime::clock::to_time_t(seconds);
  std::tm parts{};
  ::gmtime_r(&raw, &parts);
  std::array<char, 64> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%03dZ",
                static_cast<int>(milliseconds));
  return text.data();
}

TimerSource::~TimerSource() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

void TimerSource::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  changed_.notify_all();
}

sdk::Status TimerSource::start(const sdk::SourceContext& context) {
  context_ = context;
  thread_ = sdk::start_thread("timer", [this] {
    run();
    context_.events->end();
  });
  return {};
}

void TimerSource::run() {
  const sdk::Clock& clock = *context_.clock;
  if (context_.once) {
    emit({.scheduled = clock.wall(), .number = 1});
    return;
  }
  Ticks ticks{*config_, clock.now(), clock.wall()};
  while (true) {
    const auto due = ticks.due_in(clock.now(), clock.wall());
    if (due && *due <= 0ns) {
      if (!context_.events->wait_for_credit() || !emit(ticks.take(clock.now(), clock.wall())))
        return;
    } else if (!wait(due)) {
      return;
    }
  }
}

bool TimerSource::emit(const Tick& tick) {
  sdk::Intake intake{.lane = std::make_shared<sdk::Lane>(context_.name)};
  sdk::Record& record = intake.records.emplace_back();
  record.position = tick.number;
  record.set(context_.output, sdk::Value::object({{"time", iso_time(context_.clock->wall())},
                                                  {"scheduled", iso_time(tick.scheduled)},
                                                  {"tick", tick.number},
                                                  {"missed", tick.missed}}));
  intake.bytes = record.get(context_.output).heap_bytes();
  context_.events->emit(std::move(intake));
  const std::lock_guard lock{mutex_};
  return !stopping_;
}

bool TimerSource::wait(std::optional<std::chrono::nanoseconds> longest) {
  std::unique_lock lock{mutex_};
  const auto stopped = [this] { return stopping_; };
  if (!longest)
    changed_.wait(lock, stopped);
  else
    changed_.wait_for(lock, config_->cron ? std::min(*longest, longest_wait) : *longest, stopped);
  return !stopping_;
}

}  // namespace millrace::timer
