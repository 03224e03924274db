// SourceCore: decides what a source's actor sends, when it sends it again, and what its source
// hears. Holds the windows of all lanes. Pure: it returns what is to be done.
//
// After a loss nothing of that lane is sent until the pipeline is whole again. A lane over which
// steps died twice is suspect: while there is one, a single record is on its way in the whole
// pipeline, and one that is lost then is guilty; its step lets `onError` have it the next time.
#pragma once

#include "actors/pipeline/convictions.hpp"
#include "actors/pipeline/lane_window.hpp"
#include "connectors/sdk/ack.hpp"
#include "connectors/sdk/source.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace millrace::actors {

/// Why the pipeline came to be whole again.
struct Recovery {
  std::vector<std::string> crashed;  // steps that died of themselves, in the order of their deaths
  bool killed = false;               // others were stopped from outside
};

class SourceCore {
public:
  struct Settings {
    std::string name;
    LaneWindow::Slots slots;
    bool answers = false;
    std::size_t batch_records = 512;
  };

  struct Advanced {
    sdk::LanePtr lane;
    std::uint64_t position = 0;
  };

  struct Answer {
    sdk::LanePtr lane;
    std::uint64_t position = 0;
    sdk::Outcome outcome = sdk::Outcome::delivered;
    sdk::Value value;
  };

  /// What is to be done, in this order.
  struct Actions {
    std::deque<Answer> answers;
    std::deque<Advanced> advanced;
    std::size_t credit_records = 0;  // to give back
    std::size_t credit_bytes = 0;
    sdk::FailureNotePtr stop;  // the pipeline fails because of this
    bool ask = false;          // ask whether the pipeline is whole
    bool convicted = false;    // it is known what the last deaths came from
    std::deque<LaneWindow::Outgoing> send;
    bool flush = false;  // behind what is sent
  };

  SourceCore(Settings settings, Convictions& convictions,
             std::weak_ptr<sdk::SettleListener> listener);

  void take(sdk::Intake intake, Actions& actions);

  /// A receipt has news.
  void on_settled(sdk::Receipt& receipt, Actions& actions);

  /// The pipeline is whole, at a time after `ask` was last set.
  void on_whole(const Recovery& recovery, Actions& actions);

  /// The actor is another one: whatever was asked for and not answered is asked for again.
  void resume(Actions& actions);

  /// Sends what may be sent. To be called at the end of each turn.
  /// @param stalled no more will be taken in before something settles.
  void send(bool stalled, Actions& actions);

  /// The last flush may be lost: another one goes out with the next `send` that finds it stalled.
  void flush_again() noexcept { flushed_ = false; }

  std::size_t open() const noexcept { return open_; }

  /// What has been taken in and has not settled, by lane.
  std::vector<LaneWindow::Unsettled> unsettled() const;

  /// Settled so far, by outcome.
  std::uint64_t count(sdk::Outcome outcome) const noexcept {
    return counts_[static_cast<std::size_t>(outcome)];
  }

private:
  using Lanes = std::unordered_map<std::uint64_t, LaneWindow>;

  void settle(LaneWindow& window, const sdk::Receipt& receipt, const sdk::Settled& settled,
              Actions& actions);
  void advance(Lanes::iterator lane, Actions& actions);
  void convict(const LaneWindow& window, const Recovery& recovery);
  void forget_unused_lanes();
  void send_one(Actions& actions);
  void send_all(LaneWindow& window, Actions& actions);

  Settings settings_;
  Convictions& convictions_;
  std::weak_ptr<sdk::SettleListener> listener_;
  Lanes lanes_;
  std::vector<std::uint64_t> ready_;  // lanes that have something to send
  std::size_t open_ = 0;
  std::array<std::uint64_t, 6> counts_{};
  std::size_t forget_at_ = 64;  // lanes
  bool any_suspect_ = false;
  bool flushed_ = true;                 // nothing was sent since the last flush
  std::optional<std::uint64_t> alone_;  // lane of the only record on its way
};

}  // namespace millrace::actors
