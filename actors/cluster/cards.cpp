#include "actors/cluster/cards.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::cluster {

namespace {

using sdk::Value;

// A typing error in a table must not make a node start a million replicas.
constexpr std::int64_t most_replicas = 1'000;

std::string text_of(const Value& object, std::string_view name) {
  const auto* member = object.find(name);
  return member != nullptr && member->is_string() ? std::string{member->as_string()}
                                                  : std::string{};
}

}  // namespace

Value value_of(const NodeCard& card) {
  auto labels = Value::object();
  for (const auto& [name, value] : card.labels)
    labels.set(name, value);
  return Value::object({{"address", card.address},
                        {"labels", std::move(labels)},
                        {"version", card.version},
                        {"draining", card.draining}});
}

NodeCard card_of(const Value& value) {
  NodeCard card;
  card.address = text_of(value, "address");
  card.version = text_of(value, "version");
  if (const auto* labels = value.find("labels"); labels != nullptr && labels->is_object()) {
    for (const auto& [name, label] : labels->members()) {
      if (label.is_string())
        card.labels.emplace(name.as_string(), label.as_string());
    }
  }
  const auto* draining = value.find("draining");
  card.draining = draining != nullptr && draining->is_boolean() && draining->as_boolean();
  return card;
}

Value value_of(const std::vector<Offer>& offers) {
  auto object = Value::object();
  for (const auto& offer : offers)
    object.set(offer.pipeline, offer.replicas);
  return object;
}

Offers offers_of(const Value& value) {
  std::vector<Offer> offers;
  if (!value.is_object())
    return make_offers({});
  for (const auto& [pipeline, replicas] : value.members()) {
    if (replicas.is_integer() && replicas.as_integer() > 0)
      offers.push_back(
        {std::string{pipeline.as_string()},
         static_cast<std::uint32_t>(std::min(replicas.as_integer(), most_replicas))});
  }
  return make_offers(std::move(offers));
}

}  // namespace millrace::actors::cluster
