#include "actors/pipeline/source_hub.hpp"

#include <utility>

namespace millrace::actors {

SourceHub::SourceHub(std::size_t credit_records, std::size_t credit_bytes)
  : records_{static_cast<std::int64_t>(credit_records)},
    bytes_{static_cast<std::int64_t>(credit_bytes)} {
}

void SourceHub::on_news(std::function<void()> wake) {
  const std::lock_guard lock{mutex_};
  wake_ = std::move(wake);
  woken_ = false;
}

template <class Change>
void SourceHub::tell(Change change) {
  std::function<void()> wake;
  {
    const std::lock_guard lock{mutex_};
    change(news_);
    if (!std::exchange(woken_, true))
      wake = wake_;
  }
  if (wake)
    wake();
}

SourceHub::News SourceHub::take() {
  const std::lock_guard lock{mutex_};
  woken_ = false;
  return std::exchange(news_, {});
}

void SourceHub::emit(sdk::Intake intake) {
  tell([&](News& news) {
    records_ -= static_cast<std::int64_t>(intake.records.size());
    bytes_ -= static_cast<std::int64_t>(intake.bytes);
    news.intakes.push_back(std::move(intake));
  });
}

void SourceHub::end() {
  tell([](News& news) { news.ended = true; });
}

void SourceHub::fail(sdk::Error error) {
  tell([&](News& news) { news.failed = std::move(error); });
}

void SourceHub::on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept {
  tell([&](News& news) {
    if (news.receipts.empty() || news.receipts.back() != receipt)
      news.receipts.push_back(receipt);
  });
}

void SourceHub::give_back(std::size_t records, std::size_t bytes) {
  std::function<void()> resume;
  {
    const std::lock_guard lock{mutex_};
    records_ += static_cast<std::int64_t>(records);
    bytes_ += static_cast<std::int64_t>(bytes);
    if (!credit_left())
      return;
    resume = std::exchange(resume_, nullptr);
  }
  credit_.notify_all();
  if (resume)
    resume();
}

void SourceHub::pause(bool paused) {
  {
    const std::lock_guard lock{mutex_};
    paused_ = paused;
  }
  give_back(0, 0);
}

void SourceHub::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  credit_.notify_all();
  pause(false);
}

bool SourceHub::has_credit() const noexcept {
  const std::lock_guard lock{mutex_};
  return credit_left();
}

bool SourceHub::wait_for_credit() {
  std::unique_lock lock{mutex_};
  credit_.wait(lock, [this] { return stopped_ || credit_left(); });
  return !stopped_;
}

void SourceHub::when_credit(std::function<void()> resume) {
  {
    const std::lock_guard lock{mutex_};
    if (!credit_left()) {
      resume_ = std::move(resume);
      return;
    }
  }
  resume();
}

}  // namespace millrace::actors
