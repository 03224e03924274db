// PartWork: the account of the parts that the records of one batch were cut into: which came back,
// with what, and what becomes of a record whose parts did not. Shared by foreach with `collect` and
// parallel. No actor.
#pragma once

#include "actors/pipeline/time_mark.hpp"
#include "actors/steps/held_batch.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace millrace::actors {

class PartWork {
public:
  explicit PartWork(HeldBatch held) : held_{std::move(held)}, wholes_(held_.batch().size()) {}

  HeldBatch& held() noexcept { return held_; }

  /// On its parts, where their time is limited.
  TimeMark mark;

  /// Cuts record `index` into `count` parts. To be called by rising index.
  void cut(std::uint32_t index, std::uint32_t count) {
    wholes_[index].first_part = static_cast<std::uint32_t>(values_.size());
    wholes_[index].parts = count;
    wholes_[index].open = count;
    wholes_[index].cut = true;
    values_.resize(values_.size() + count);
    record_of_.resize(values_.size(), index);
    open_ += count;
  }

  std::uint32_t parts() const noexcept { return static_cast<std::uint32_t>(values_.size()); }

  /// Part came back.
  void put(std::uint32_t part, sdk::Value value) {
    values_[part] = std::move(value);
    close(part);
  }

  /// Part came back, and what was made of it failed.
  void fail(std::uint32_t part, sdk::Error error) {
    auto& whole = wholes_[record_of_[part]];
    if (!whole.error)
      whole.error = std::move(error);
    close(part);
  }

  /// Part ended in the nested steps: dropped on purpose it is left out; dead-lettered it takes its
  /// record along; failed it fails its record, or ends it where the nested step asked the pipeline
  /// to stop.
  void settle(std::uint32_t part, const sdk::Settled& how) {
    auto& whole = wholes_[record_of_[part]];
    if (how.outcome == sdk::Outcome::failed && how.failure && !how.failure->stop) {
      if (!whole.error)
        whole.error = how.failure->error;
    } else if (how.outcome == sdk::Outcome::failed || how.outcome == sdk::Outcome::dead_lettered) {
      if (!whole.end || whole.end->outcome < how.outcome)
        whole.end = how;
    }
    close(part);
  }

  /// Nothing more is waited for: records with parts that have not come back fail.
  void give_up(const sdk::Error& error) {
    for (auto& whole : wholes_) {
      if (whole.open > 0 && !whole.error)
        whole.error = error;
      whole.open = 0;
    }
    open_ = 0;
  }

  bool complete() const noexcept { return open_ == 0; }

  /// Gives every record back: `finish(record, values)` makes its output of those that came back by
  /// part, or @returns why it fails.
  template <class Finish>
  void give_back(StageContext& context, Finish finish) {
    for (std::uint32_t i = 0; i < wholes_.size(); ++i) {
      auto& whole = wholes_[i];
      if (!whole.cut)
        continue;
      if (whole.end) {
        held_.settle(i, *whole.end);
      } else if (whole.error) {
        held_.fail(i, *whole.error);
      } else {
        finish(held_.batch()[i], std::span{values_}.subspan(whole.first_part, whole.parts));
      }
    }
    held_.give_back(context);
  }

private:
  struct Whole {
    std::uint32_t first_part = 0;
    std::uint32_t parts = 0;
    std::uint32_t open = 0;  // of its parts
    bool cut = false;
    std::optional<sdk::Error> error;
    std::optional<sdk::Settled> end;
  };

  void close(std::uint32_t part) {
    --wholes_[record_of_[part]].open;
    --open_;
  }

  HeldBatch held_;
  std::vector<Whole> wholes_;
  std::vector<std::optional<sdk::Value>> values_;  // by part; nothing: it did not come back
  std::vector<std::uint32_t> record_of_;
  std::uint32_t open_ = 0;
};

}  // namespace millrace::actors
