// Port: where the connections hand requests to one pipeline. Outlives its source, which attaches
// and detaches; in between requests are answered 503.
#pragma once

#include "connectors/http/config.hpp"
#include "connectors/http/exchange.hpp"
#include "connectors/sdk/source.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace millrace::http {

/// Thread-safe.
class Port {
public:
  explicit Port(std::shared_ptr<const ReceiveConfig> config) : config_{std::move(config)} {}

  const ReceiveConfig& config() const noexcept { return *config_; }

  void attach(const sdk::SourceContext& context);

  /// What is open is answered 503.
  void detach();

  /// Takes nothing more; `end` is said.
  void stop();

  bool is_open() const;

  enum class Taken : std::uint8_t { yes, overloaded, closed };

  /// Hands a request over, where there is credit. @param bytes that it takes in memory.
  Taken take(const std::shared_ptr<Exchange>& exchange, sdk::Value payload, std::size_t bytes);

  /// The record of this exchange has come to its end.
  void conclude(const sdk::Lane& lane, std::uint64_t position, sdk::Outcome outcome,
                const sdk::Value& value);

  /// An exchange has begun: its answer is still to be written.
  void begin();

  /// The answer was written, or its client is gone.
  void written();

  /// Calls `done` once every answer has been written.
  void when_written(std::function<void()> done);

  /// Whether there is room for one more.
  bool has_room() const;

private:
  void log_failure(unsigned status, const Exchange& exchange, const sdk::Value& error);

  const std::shared_ptr<const ReceiveConfig> config_;
  mutable std::mutex mutex_;
  sdk::SourceContext context_;
  sdk::SourceEvents* events_ = nullptr;
  bool stopped_ = false;
  std::uint64_t next_position_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Exchange>> open_;
  std::size_t unwritten_ = 0;
  std::function<void()> when_written_;
};

}  // namespace millrace::http
