// TimeMark: tells records in nested steps that their time is up. A stage with a `timeout` marks
// what it sends in; when it has given up waiting it ends the mark, and whatever meets a marked
// record from then on drops it instead of working on.
//
//   TimeMark mark = TimeMark::make();   // one for records that end together
//   mark.put_on(part);                  // before it goes into the nested steps
//   mark.end();                         // the time is up
//   TimeMark::take_off(part);           // it came back in time
#pragma once

#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/record.hpp"

#include <atomic>
#include <memory>

namespace millrace::actors {

/// Cheap to copy; an empty one marks nothing. `end` and `is_over` are thread-safe.
class TimeMark {
public:
  TimeMark() = default;

  static TimeMark make();

  /// Adds it to what the record carries already, for limits within limits.
  void put_on(sdk::Record& record) const;

  void end() const noexcept;

  /// Takes the innermost mark off.
  static void take_off(sdk::Record& record);

  /// Whether any of the marks on the record has ended.
  static bool is_over(const sdk::Record& record) noexcept;

  /// Drops the records whose time is up: nobody waits for them any more.
  static void drop_late(sdk::Batch& batch);

private:
  struct Life {
    std::atomic<bool> over{false};
  };

  class Carried;

  explicit TimeMark(std::shared_ptr<Life> life) : life_{std::move(life)} {}

  std::shared_ptr<Life> life_;
};

/// What came back from nested steps takes the place of the record that it is a copy of. Where the
/// copy had a share of one of `spans` transactions, the record's own hold on it stays.
void put_back(sdk::Record& whole, sdk::Record part, std::uint32_t spans);

}  // namespace millrace::actors
