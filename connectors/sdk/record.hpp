// Record: the context of one message on its way: one slot per step output. The compiler of a
// pipeline turned step names into slot numbers, so nothing is looked up by name.
#pragma once

#include "connectors/sdk/value.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace millrace::sdk {

/// Number of a step's output in a Record.
using Slot = std::uint16_t;

inline constexpr Slot no_slot = 0xFFFF;

/// Something that lives as long as the record holds it: an open transaction, its place in a join.
/// Destroyed with the record, on whatever thread that is.
class Attachment {
public:
  virtual ~Attachment() = default;

  /// What a part of the record (an item of foreach) holds of it; null: nothing.
  virtual std::unique_ptr<Attachment> share() const { return nullptr; }
};

/// Move-only; `copy()` says when a copy is meant.
class Record {
public:
  Record() noexcept = default;
  Record(Record&&) noexcept = default;
  Record& operator=(Record&&) noexcept = default;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record() = default;

  /// The output in `slot`; null where no step put one there.
  const Value& get(Slot slot) const noexcept {
    if (slot < inline_slots)
      return slots_[slot];
    return more_ && slot - inline_slots < more_->size() ? (*more_)[slot - inline_slots]
                                                        : null_value();
  }

  void set(Slot slot, Value value);

  /// Changeable access; the slot is made where it was not there.
  Value& at(Slot slot);

  /// Values shared, position and sequence taken over, attachments left behind.
  Record copy() const;

  /// Where the source found it: byte offset, line or Kafka offset; given back when it has settled.
  std::uint64_t position = 0;
  /// Rises by one within its lane; given by the engine at intake.
  std::uint64_t sequence = 0;

  /// Adds something the record holds from now on; a second one of the same key replaces the first.
  void attach(std::uint32_t key, std::unique_ptr<Attachment> attachment);

  /// @returns null where there is none of that key.
  Attachment* attachment(std::uint32_t key) const noexcept;

  std::unique_ptr<Attachment> detach(std::uint32_t key) noexcept;

  /// Takes a share of what `whole` holds, of which this record is a part.
  void share_attachments(const Record& whole);

  void drop_attachments() noexcept { attachments_.reset(); }

  bool has_attachments() const noexcept { return attachments_ && !attachments_->empty(); }

private:
  using Attachments = std::vector<std::pair<std::uint32_t, std::unique_ptr<Attachment>>>;

  static constexpr std::size_t inline_slots = 4;
  static const Value& null_value() noexcept;

  std::array<Value, inline_slots> slots_;
  std::unique_ptr<std::vector<Value>> more_;
  std::unique_ptr<Attachments> attachments_;
};

}  // namespace millrace::sdk
