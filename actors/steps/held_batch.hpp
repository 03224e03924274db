// HeldBatch: a batch whose records are away in nested steps. It keeps their Acks and places;
// results are put back, or the record is settled, and when nothing is away any more it is given
// back to the actor.
#pragma once

#include "actors/pipeline/parts.hpp"
#include "actors/pipeline/stage.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace millrace::actors {

class HeldBatch {
public:
  HeldBatch(sdk::Batch batch, Ticket ticket)
    : batch_{std::move(batch)}, ticket_{ticket}, gone_(batch_.size(), false) {}

  sdk::Batch& batch() noexcept { return batch_; }

  /// Ends record `index` as a part of it, or the record itself, ended in the nested steps.
  void settle(std::uint32_t index, const sdk::Settled& how) {
    if (how.outcome == sdk::Outcome::failed && how.failure)
      batch_.take_ack(index).fail(how.failure);
    else
      batch_.settle_one(index, how.outcome, how.answer);
    gone_[index] = any_gone_ = true;
  }

  /// Record `index` goes to the step's own `onError`.
  void fail(std::uint32_t index, sdk::Error error) {
    failures_.push_back({index, std::move(error)});
  }

  /// Gives everything back that was not settled.
  void give_back(StageContext& context) {
    std::ranges::sort(failures_, {}, &sdk::Failure::index);
    std::vector<sdk::Failure> failures;
    auto failure = failures_.begin();
    std::uint32_t place = 0;
    for (std::uint32_t i = 0; i < gone_.size(); ++i) {
      if (failure != failures_.end() && failure->index == i) {
        if (!gone_[i])
          failures.push_back({place, std::move(failure->error)});
        ++failure;
      }
      place += gone_[i] ? 0 : 1;
    }
    if (any_gone_)
      batch_.extract(gone_);
    context.done(ticket_, std::move(batch_), std::move(failures));
  }

  /// Gives the ticket back with nothing: the lane is stale, and all of it comes again.
  void drop(StageContext& context) {
    const sdk::Batch dropped = std::move(batch_);
    context.done(ticket_, {});
  }

private:
  sdk::Batch batch_;
  Ticket ticket_;
  std::vector<bool> gone_;
  bool any_gone_ = false;
  std::vector<sdk::Failure> failures_;  // by index in batch_; at most one each
};

}  // namespace millrace::actors
