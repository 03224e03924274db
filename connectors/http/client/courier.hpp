// Courier: carries a call out to its end: tries, waits, redirects, and the time that all of it may
// take. Lives on its loop, and keeps itself alive until it has called back.
#pragma once

#include "connectors/http/client/retry_plan.hpp"
#include "connectors/http/client/transfer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace millrace::http {

class Courier : public std::enable_shared_from_this<Courier> {
public:
  struct Result {
    Transfer::Outcome outcome;
    std::uint32_t tries = 1;
    bool unknown = false;  // it may have been carried out
  };

  using Done = std::function<void(Result)>;

  Courier(std::weak_ptr<CurlDriver> driver, std::shared_ptr<const Route> route,
          const CallRules& rules, Call call, Done done);

  /// On the loop. Where the driver goes meanwhile, nobody is called back.
  void run();

private:
  void attempt();
  void on_outcome(Transfer::Outcome outcome);
  bool redirect(const std::string& to, unsigned status);
  void finish(Transfer::Outcome outcome);
  std::chrono::milliseconds passed() const;

  const std::weak_ptr<CurlDriver> driver_;
  const std::shared_ptr<const Route> route_;
  const CallRules rules_;
  Call call_;
  const Done done_;
  RetryPlan plan_;
  std::unique_ptr<Transfer> transfer_;
  std::uint32_t tries_ = 0;
  std::uint32_t redirects_ = 0;
  sdk::Instant began_;
};

/// Whether both are of one scheme, host and port (RFC 6454).
bool is_same_origin(const std::string& a, const std::string& b);

}  // namespace millrace::http
