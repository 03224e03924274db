#include "actors/pipeline/step_watch.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace millrace::actors {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 10s;             // a tap that nobody asks is closed
constexpr std::size_t most_entries = 256;  // kept
constexpr std::size_t most_text = 16'384;  // bytes of one

std::string_view to_word(dsl::ErrorAction then) noexcept {
  switch (then) {
  case dsl::ErrorAction::dead_letter:
    return "dead letter";
  case dsl::ErrorAction::skip:
    return "skipped";
  case dsl::ErrorAction::resume:
    return "went on";
  case dsl::ErrorAction::stop:
    return "stopped";
  case dsl::ErrorAction::by_default:
    break;
  }
  return "failed";
}

}  // namespace

void StepWatch::failed(const sdk::Error& error, dsl::ErrorAction then) {
  errors.add();
  if (recent_)
    recent_->add(about_.pipeline, about_.step, to_word(then), error);
}

void StepWatch::see(const sdk::Batch& batch, sdk::Instant now) {
  const std::lock_guard lock{mutex_};
  if (now >= open_until_) {
    tapped_.store(false, std::memory_order_relaxed);
    seen_.clear();
    return;
  }
  // The last ones are enough of a long batch: the others would not stay.
  const std::size_t first = batch.size() > most_entries ? batch.size() - most_entries : 0;
  last_ += first;
  for (std::size_t i = first; i < batch.size(); ++i) {
    if (seen_.size() == most_entries)
      seen_.pop_front();
    std::string json;
    if (about_.shown != sdk::no_slot)
      sdk::append_json(json, batch[i].get(about_.shown));
    else
      json = "null";
    if (json.size() > most_text) {
      std::string cut;
      sdk::append_json_string(cut, json.substr(0, most_text) + "…");
      json = std::move(cut);
    }
    seen_.push_back({++last_, batch.lane()->name(), std::move(json)});
  }
}

std::vector<TapEntry> StepWatch::tap(std::uint64_t after, std::size_t most, sdk::Instant now) {
  const std::lock_guard lock{mutex_};
  open_until_ = now + patience;
  tapped_.store(true, std::memory_order_relaxed);
  auto from = std::ranges::upper_bound(seen_, after, {}, &TapEntry::number);
  const auto count = std::min<std::size_t>(most, static_cast<std::size_t>(seen_.end() - from));
  return {from, from + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace millrace::actors
