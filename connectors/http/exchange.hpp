// Exchange: one request under way. It is the lane of its record, so everything that happens to the
// record can find it: `respond` leaves its answer here, and the source sends it when the record has
// come to its end.
#pragma once

#include "connectors/http/message.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/lane.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace millrace::http {

/// Where the answer goes; called on any thread.
class Answerer {
public:
  virtual ~Answerer() = default;
  virtual void answer(std::uint64_t exchange, Response response) = 0;
};

/// Thread-safe.
class Exchange final : public sdk::Lane {
public:
  Exchange(std::uint64_t number, std::string request_id, sdk::Value meta,
           std::weak_ptr<Answerer> to, bool gzips = false)
    : Lane{"request", std::move(meta)},
      number_{number},
      request_id_{std::move(request_id)},
      to_{std::move(to)},
      gzips_{gzips} {}

  const std::string& request_id() const noexcept { return request_id_; }

  /// Keeps the answer of `respond`: the first one of an attempt, but an error (4xx, 5xx) replaces a
  /// success.
  void offer(std::uint32_t attempt, Response response);

  /// The record has come to its end: what `respond` offered goes out, or else what `outcome` and
  /// `value` come to.
  /// @returns the status that is answered.
  unsigned conclude(sdk::Outcome outcome, const sdk::Value& value, const std::string& receive_step);

  /// Answers, unless it was answered.
  void answer(Response response);

  /// Nobody waits for the answer any more: the time is up, or the client went away.
  void abandon() noexcept { abandoned_.store(true, std::memory_order_release); }

  Verdict verdict() const noexcept override;
  void begin_again() noexcept override;

private:
  Response response_to(sdk::Outcome outcome, const sdk::Value& value,
                       const std::string& receive_step);

  const std::uint64_t number_;
  const std::string request_id_;
  const std::weak_ptr<Answerer> to_;
  const bool gzips_;  // long answers, for who takes it
  std::atomic<bool> abandoned_{false};
  mutable std::mutex mutex_;
  bool answered_ = false;
  std::uint32_t offered_at_ = 0;  // attempt of the lane
  std::optional<Response> offered_;
};

/// What a failed record comes to. @param error {step, kind, sqlstate, message}, as
/// Source::answer has it. @param receive_step its own mistakes are the client's.
Response failure_response(const sdk::Value& error, const std::string& receive_step,
                          const std::string& request_id);

}  // namespace millrace::http
