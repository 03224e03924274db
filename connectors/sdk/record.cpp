#include "connectors/sdk/record.hpp"

#include "connectors/sdk/immortal.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace millrace::sdk {

const Value& Record::null_value() noexcept {
  static const Immortal<Value> null;
  return *null;
}

void Record::set(Slot slot, Value value) {
  at(slot) = std::move(value);
}

Value& Record::at(Slot slot) {
  assert(slot != no_slot);
  if (slot < inline_slots)
    return slots_[slot];
  const std::size_t index = slot - inline_slots;
  if (!more_)
    more_ = std::make_unique<std::vector<Value>>();
  if (more_->size() <= index)
    more_->resize(index + 1);
  return (*more_)[index];
}

Record Record::copy() const {
  Record result;
  result.slots_ = slots_;
  if (more_)
    result.more_ = std::make_unique<std::vector<Value>>(*more_);
  result.position = position;
  result.sequence = sequence;
  return result;
}

void Record::attach(std::uint32_t key, std::unique_ptr<Attachment> attachment) {
  if (!attachments_)
    attachments_ = std::make_unique<Attachments>();
  for (auto& [known, held] : *attachments_) {
    if (known == key) {
      held = std::move(attachment);
      return;
    }
  }
  attachments_->emplace_back(key, std::move(attachment));
}

Attachment* Record::attachment(std::uint32_t key) const noexcept {
  if (!attachments_)
    return nullptr;
  for (const auto& [known, held] : *attachments_) {
    if (known == key)
      return held.get();
  }
  return nullptr;
}

std::unique_ptr<Attachment> Record::detach(std::uint32_t key) noexcept {
  if (!attachments_)
    return nullptr;
  const auto found = std::find_if(attachments_->begin(), attachments_->end(),
                                  [key](const auto& entry) { return entry.first == key; });
  if (found == attachments_->end())
    return nullptr;
  auto result = std::move(found->second);
  attachments_->erase(found);
  return result;
}

void Record::share_attachments(const Record& whole) {
  if (!whole.attachments_)
    return;
  for (const auto& [key, attachment] : *whole.attachments_) {
    if (auto shared = attachment->share())
      attach(key, std::move(shared));
  }
}

}  // namespace millrace::sdk
