// Ack: what records owe their source. A source makes one Receipt per intake batch; each batch on the way
// carries Acks (runs of records of one receipt), and whoever ends a record's way settles it.
//
//   auto receipt = Receipt::make(lane, first_sequence, records.size(), Receipt::Report::in_lumps, listener);
//   Ack ack = receipt->acknowledgement();          // of all its records
//   std::move(ack).settle(Outcome::delivered);     // an Ack that is destroyed unsettled settles `lost`
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "connectors/sdk/lane.hpp"
#include "connectors/sdk/value.hpp"

namespace millrace::sdk {

/// How a record's way ended; where it had several leaves, the worst one counts (later is worse).
enum class Outcome : std::uint8_t {
  delivered,
  filtered,       // dropped on purpose
  skipped,        // failed, and `onError` said skip
  dead_lettered,  // failed, and safe in the dead-letter sink
  failed,         // failed, and the pipeline stops there
  lost,           // whoever held it died
};

std::string_view to_string(Outcome outcome) noexcept;

class Receipt;
class Ack;

/// Hears of settlements. Called from any thread, without locks held; must only pass the news on.
class SettleListener {
public:
  virtual ~SettleListener() = default;

  /// `receipt` has news: see Receipt::take_settled.
  virtual void on_settled(const std::shared_ptr<Receipt>& receipt) noexcept = 0;
};

/// One record of a receipt that has come to its end.
struct Settled {
  std::uint32_t index = 0;  // in the receipt
  Outcome outcome = Outcome::delivered;
  Value answer;  // for sources that answer; null unless somebody gave one
};

/// The account of one intake batch: per record a count of open leaves and the worst outcome so far.
/// Thread-safe. Kept alive by its Acks.
class Receipt : public std::enable_shared_from_this<Receipt> {
public:
  enum class Report : std::uint8_t {
    each,      // the listener hears of every settled record at once (sources that answer)
    in_lumps,  // when a quarter of the records has settled, when one is lost, and at the end
  };

  /// @param first_sequence the sequence of record 0 in its lane; the others follow it.
  static std::shared_ptr<Receipt> make(LanePtr lane, std::uint64_t first_sequence, std::uint32_t count,
                                       Report report, std::weak_ptr<SettleListener> listener);

  /// The Ack of all its records. To be called once.
  Ack acknowledgement();

  const LanePtr& lane() const noexcept { return lane_; }
  std::uint32_t attempt() const noexcept { return attempt_; }  // the lane's, when it was made
  std::uint64_t first_sequence() const noexcept { return first_sequence_; }
  std::uint32_t count() const noexcept { return count_; }

  /// Records that have come to their end since the last call, in the order in which they did.
  std::vector<Settled> take_settled();

  /// Whether every record has come to its end.
  bool complete() const;

private:
  friend class Ack;

  Receipt(LanePtr lane, std::uint64_t first_sequence, std::uint32_t count, Report report,
          std::weak_ptr<SettleListener> listener);

  // Raises the lane's attempt before it returns when `outcome` is lost: nothing of this attempt has effects after.
  void settle(std::uint32_t first, std::uint32_t count, Outcome outcome, Value answer);
  void fork(std::uint32_t first, std::uint32_t count, std::uint32_t leaves);

  const LanePtr lane_;
  const std::uint32_t attempt_;
  const std::uint64_t first_sequence_;
  const std::uint32_t count_;
  const Report report_;
  const std::weak_ptr<SettleListener> listener_;

  mutable std::mutex mutex_;
  std::uint32_t open_;                  // records that have an open leaf
  std::uint32_t unreported_ = 0;        // settled since the listener was told
  std::vector<std::uint32_t> leaves_;   // open leaves per record; empty while all have at most one
  std::vector<std::uint8_t> states_;    // per record: worst outcome so far, and whether it is settled
  std::vector<Settled> settled_;        // not yet taken
  std::vector<std::pair<std::uint32_t, Value>> answers_;
};

/// What a run of neighbouring records of one receipt owes. Move-only. An empty Ack owes nothing.
class Ack {
public:
  Ack() noexcept = default;
  Ack(Ack&& other) noexcept;
  Ack& operator=(Ack&& other) noexcept;  // what it held before settles `lost`
  Ack(const Ack&) = delete;
  Ack& operator=(const Ack&) = delete;
  ~Ack();

  bool empty() const noexcept { return count_ == 0; }
  std::uint32_t count() const noexcept { return count_; }
  const std::shared_ptr<Receipt>& receipt() const noexcept { return receipt_; }
  std::uint32_t first() const noexcept { return first_; }

  /// Settles one leaf of each record. `answer` goes to sources that answer.
  void settle(Outcome outcome, Value answer = {}) &&;

  /// Takes the first `count` records off.
  Ack split(std::uint32_t count);

  /// Joins `next` where it is the neighbour behind this one; @returns whether it did.
  bool append(Ack& next) noexcept;

  /// One more leaf for each record: both must settle before the record has.
  Ack fork();

private:
  friend class Receipt;

  Ack(std::shared_ptr<Receipt> receipt, std::uint32_t first, std::uint32_t count) noexcept;

  std::shared_ptr<Receipt> receipt_;
  std::uint32_t first_ = 0;
  std::uint32_t count_ = 0;
};

}  // namespace millrace::sdk
