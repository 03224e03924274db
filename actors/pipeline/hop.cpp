#include "actors/pipeline/hop.hpp"

namespace millrace::actors {

void Address::set(std::size_t replica, caf::actor actor) {
  const std::lock_guard lock{mutex_};
  replicas_[replica].swap(actor);
}

caf::actor Address::get(std::size_t replica) const {
  const std::lock_guard lock{mutex_};
  return replicas_[replica];
}

caf::actor Address::pick(const sdk::Batch& batch) const {
  if (replicas_.size() == 1)
    return get(0);
  const std::uint64_t hash = batch.lane()->id() * 0x9E3779B97F4A7C15ULL >> 32U;
  return get(static_cast<std::size_t>(hash % replicas_.size()));
}

void Hop::send(caf::event_based_actor* self, sdk::Batch batch, std::uint32_t counted) const {
  const auto next = address->pick(batch);
  if (!next)
    return;  // the batch is lost, and its source hears of it
  if (branch)
    self->send(next, Returned{Parcel{std::move(batch)}, *branch});
  else
    self->send(next, Delivery{Parcel{std::move(batch)}, counted});
}

void Hop::flush(caf::event_based_actor* self) const {
  if (branch)
    return;
  for (std::size_t i = 0; i < address->size(); ++i) {
    if (const auto next = address->get(i))
      self->send(next, Flush{});
  }
}

}  // namespace millrace::actors
