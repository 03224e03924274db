// SessionRuns: records that go through nested steps with one transaction for all of them.
//
//   SessionRuns runs{context, span, [this](SessionRuns::Ended ended) { … }};
//   runs.send(batch, count, ticket, session);      // copies of the first `count`
//   runs.on_return(std::move(batch));              // in Stage::on_return
#pragma once

#include "actors/pipeline/parts.hpp"
#include "actors/steps/session_attachment.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::actors {

class SessionRuns {
public:
  /// All records of a run have come back, or left on the way.
  struct Ended {
    Ticket ticket = 0;
    std::optional<SessionHandle> session;  // none: a step died over it, and the lane comes again
    // The first that came to no good end, and which; one that was dropped on purpose did.
    std::optional<std::pair<std::size_t, sdk::Settled>> bad;
  };

  SessionRuns(StageContext& context, std::uint32_t span, std::function<void(Ended)> ended)
    : context_{context},
      span_{span},
      ended_{std::move(ended)},
      parts_{context, [this](const PartsNews& news) { on_news(news); }} {}

  void send(const sdk::Batch& batch, std::size_t count, Ticket ticket,
            const SessionHandle& session);
  void on_return(sdk::Batch batch);

private:
  struct Run {
    Ticket ticket = 0;
    SessionHandle session;
    std::vector<std::optional<sdk::Settled>> left;  // by record: how it left on the way
    std::size_t open = 0;
  };

  void on_news(const PartsNews& news);
  void one_less(std::uint64_t id, std::uint32_t index, const std::optional<sdk::Settled>& left);

  StageContext& context_;
  std::uint32_t span_;
  std::function<void(Ended)> ended_;
  Parts parts_;
  std::unordered_map<std::uint64_t, Run> runs_;  // by join
  std::uint64_t next_ = 1;
};

}  // namespace millrace::actors
