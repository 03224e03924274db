#include "connectors/asio/reactor.hpp"

#include "connectors/asio/loop.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace millrace::asio {

namespace {

class AsioReactor final : public sdk::Reactor {
public:
  explicit AsioReactor(std::size_t threads) {
    loops_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i)
      loops_.push_back(std::make_unique<Loop>());
  }

  AsioReactor(const AsioReactor&) = delete;
  AsioReactor& operator=(const AsioReactor&) = delete;

  ~AsioReactor() override { stop_all(); }

  sdk::EventLoop& loop() override { return *loops_[next_++ % loops_.size()]; }

  std::size_t loop_count() const noexcept override { return loops_.size(); }

  void stop() override { stop_all(); }

private:
  void stop_all() {
    for (auto& loop : loops_)
      loop->stop();
  }

  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace

std::unique_ptr<sdk::Reactor> make_reactor(ReactorOptions options) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const auto threads = options.threads > 0 ? options.threads : std::max<std::size_t>(1, cores / 4);
  return std::make_unique<AsioReactor>(threads);
}

boost::asio::io_context& io_context_of(sdk::EventLoop& loop) {
  return static_cast<Loop&>(loop).context();
}

}  // namespace millrace::asio
