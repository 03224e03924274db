#include "actors/pipeline/time_mark.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace millrace::actors {

namespace {

// Apart from the numbers of transactions, which count from 1.
constexpr std::uint32_t mark_key = 0xFFFFFFFF;

}  // namespace

class TimeMark::Carried final : public sdk::Attachment {
public:
  explicit Carried(std::vector<std::shared_ptr<Life>> carried) : lives{std::move(carried)} {}

  std::unique_ptr<sdk::Attachment> share() const override {
    return std::make_unique<Carried>(lives);
  }

  static Carried* of(const sdk::Record& record) noexcept {
    return static_cast<Carried*>(record.attachment(mark_key));
  }

  std::vector<std::shared_ptr<Life>> lives;  // from the outside in
};

TimeMark TimeMark::make() {
  return TimeMark{std::make_shared<Life>()};
}

void TimeMark::put_on(sdk::Record& record) const {
  if (!life_)
    return;
  if (auto* carried = Carried::of(record))
    carried->lives.push_back(life_);
  else
    record.attach(mark_key, std::make_unique<Carried>(std::vector{life_}));
}

void TimeMark::end() const noexcept {
  if (life_)
    life_->over = true;
}

void TimeMark::take_off(sdk::Record& record) {
  auto* carried = Carried::of(record);
  if (!carried)
    return;
  carried->lives.pop_back();
  if (carried->lives.empty())
    record.detach(mark_key);
}

bool TimeMark::is_over(const sdk::Record& record) noexcept {
  const auto* carried = Carried::of(record);
  return carried
         && std::ranges::any_of(carried->lives, [](const auto& life) { return life->over.load(); });
}

void TimeMark::drop_late(sdk::Batch& batch) {
  std::vector<bool> late(batch.size());
  bool any = false;
  for (std::size_t i = 0; i < batch.size(); ++i)
    any |= late[i] = is_over(batch[i]);
  if (any)
    batch.extract(late).settle(sdk::Outcome::filtered);
}

void put_back(sdk::Record& whole, sdk::Record part, std::uint32_t spans) {
  for (std::uint32_t span = 1; whole.has_attachments() && span <= spans; ++span) {
    if (part.attachment(span)) {
      if (auto own = whole.detach(span))
        part.attach(span, std::move(own));
    }
  }
  whole = std::move(part);
}

}  // namespace millrace::actors
