// Ack: what records owe their source. A source makes one Receipt per intake batch; each batch on
// the way carries Acks (runs of records of one receipt), and whoever ends a record's way settles
// it. A step whose nested steps work on parts of its records makes Receipts of its own for the
// parts, and settles the whole when it has heard of all of them.
//
//   auto receipt = Receipt::make(lane, lane->attempt(), first_sequence, records.size(),
//                                Receipt::Report::in_lumps, listener);
//   Ack ack = receipt->acknowledgement();          // of all its records
//   std::move(ack).settle(Outcome::delivered);     // an Ack destroyed unsettled settles `lost`
#pragma once

#include "connectors/sdk/error.hpp"
#include "connectors/sdk/lane.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

/// How a record's way ended; where it had several leaves, the worst one counts (later is worse).
enum class Outcome : std::uint8_t {
  delivered,
  filtered,       // dropped on purpose
  skipped,        // failed, and `onError` said skip
  dead_lettered,  // failed, and safe in the dead-letter sink
  failed,         // failed, and whoever made the receipt decides what that means
  lost,           // whoever held it died
};

std::string_view to_string(Outcome outcome) noexcept;

/// Why a record settled `failed`.
struct FailureNote {
  Error error;
  std::string step;   // where it failed
  bool stop = false;  // `onError` asks for the pipeline to stop, also where the source answers
};

using FailureNotePtr = std::shared_ptr<const FailureNote>;

class Receipt;
class Ack;

/// Hears of settlements. Called from any thread, without locks held; must only pass the news on.
class SettleListener {
public:
  virtual ~SettleListener() = default;

  /// `receipt` has news: see Receipt::take_settled and Receipt::lost.
  virtual void on_settled(const std::shared_ptr<Receipt>& receipt) noexcept = 0;
};

/// Neighbouring records of one receipt that have come to the same end.
struct Settled {
  std::uint32_t first = 0;  // index in the receipt
  std::uint32_t count = 0;
  Outcome outcome = Outcome::delivered;
  Value answer;            // for sources that answer; null unless somebody gave one
  FailureNotePtr failure;  // of a failed one
};

/// The account of one intake batch: per record a count of open leaves and the worst outcome so far.
/// Thread-safe. Kept alive by its Acks.
class Receipt : public std::enable_shared_from_this<Receipt> {
public:
  enum class Report : std::uint8_t {
    each,      // the listener hears of every settled record at once (sources that answer, joins)
    in_lumps,  // when a quarter of the records has settled, when one failed or was lost, at the end
  };

  /// @param attempt of the lane; where the lane has moved on since, all of it is stale.
  /// @param first_sequence the sequence of record 0 in its lane; the others follow it.
  static std::shared_ptr<Receipt> make(LanePtr lane, std::uint32_t attempt,
                                       std::uint64_t first_sequence, std::uint32_t count,
                                       Report report, std::weak_ptr<SettleListener> listener);

  /// The Ack of all its records. To be called once.
  Ack acknowledgement();

  const LanePtr& lane() const noexcept { return lane_; }

  std::uint32_t attempt() const noexcept { return attempt_; }

  std::uint64_t first_sequence() const noexcept { return first_sequence_; }

  std::uint32_t count() const noexcept { return count_; }

  /// Records that have come to their end since the last call, in the order in which they did.
  std::vector<Settled> take_settled();

  /// Whether every record has come to its end.
  bool complete() const;

  /// Whether any leaf was lost; its record has not come to its end while others are open.
  bool lost() const;

private:
  friend class Ack;

  Receipt(LanePtr lane, std::uint32_t attempt, std::uint64_t first_sequence, std::uint32_t count,
          Report report, std::weak_ptr<SettleListener> listener);

  // Raises the lane's attempt before it returns when `outcome` is lost: nothing of this attempt has
  // effects after.
  void settle(std::uint32_t first, std::uint32_t count, Outcome outcome, Value answer,
              FailureNotePtr failure);
  void fork(std::uint32_t first, std::uint32_t count);

  // Forked records: what is known of each until its last leaf settles.
  struct Leaves {
    std::uint32_t open = 1;
    Outcome worst = Outcome::delivered;
    Value answer;
    FailureNotePtr failure;
  };

  void conclude(std::uint32_t first, std::uint32_t count, Outcome outcome, Value answer,
                FailureNotePtr failure);
  void settle_leaf(std::uint32_t index, Outcome outcome, const Value& answer,
                   const FailureNotePtr& failure);

  const LanePtr lane_;
  const std::uint32_t attempt_;
  const std::uint64_t first_sequence_;
  const std::uint32_t count_;
  const Report report_;
  const std::weak_ptr<SettleListener> listener_;

  mutable std::mutex mutex_;
  std::uint32_t open_;            // records that have an open leaf
  std::uint32_t unreported_ = 0;  // settled since the listener was told
  bool lost_ = false;
  std::vector<Leaves> leaves_;    // empty while no record was forked
  std::vector<Settled> settled_;  // not yet taken
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

  /// Settles one leaf of each record as failed, and says why.
  void fail(FailureNotePtr failure) &&;

  /// Owes nothing from now on, and nobody hears of it: for who made the receipt and has the record
  /// back in hand.
  void release() && noexcept;

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
