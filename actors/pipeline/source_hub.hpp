// SourceHub: what a source and its receipts talk to, on any thread. It keeps the credit and the
// news, and wakes the source's actor once per burst.
#pragma once

#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/source.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace millrace::actors {

/// Thread-safe. Made with std::make_shared; outlives the source.
class SourceHub final : public sdk::SourceEvents, public sdk::SettleListener {
public:
  struct News {
    std::deque<sdk::Intake> intakes;
    std::deque<std::shared_ptr<sdk::Receipt>> receipts;
    bool ended = false;
    std::optional<sdk::Error> failed;
  };

  SourceHub(std::size_t credit_records, std::size_t credit_bytes);

  /// Whom to wake; called on any thread, once until the next `take`. What is there already is no
  /// news: the caller takes it.
  void on_news(std::function<void()> wake);

  News take();

  void give_back(std::size_t records, std::size_t bytes);

  /// Without credit until it is called with false. Calls that others make wait too.
  void pause(bool paused);

  /// From now on `wait_for_credit` says that the source is to stop. `when_credit` goes on as
  /// before: called pipelines take calls for as long as others may call them. Ends a pause.
  void stop();

  // SourceEvents
  void emit(sdk::Intake intake) override;
  void end() override;
  void fail(sdk::Error error) override;
  bool has_credit() const noexcept override;
  bool wait_for_credit() override;
  void when_credit(std::function<void()> resume) override;

  // SettleListener
  void on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept override;

private:
  bool credit_left() const noexcept { return !paused_ && records_ > 0 && bytes_ > 0; }

  template <class Change>
  void tell(Change change);

  mutable std::mutex mutex_;
  std::condition_variable credit_;
  std::function<void()> wake_;
  std::function<void()> resume_;
  News news_;
  bool woken_ = false;
  bool stopped_ = false;
  bool paused_ = false;
  std::int64_t records_;
  std::int64_t bytes_;
};

}  // namespace millrace::actors
