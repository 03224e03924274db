// What nodes say of themselves, as JSON in the coordination tables. Neighbouring versions read each
// other's: members that are not known are ignored, members that are missing have their defaults.
#pragma once

#include "actors/cluster/view.hpp"
#include "connectors/sdk/value.hpp"

namespace millrace::actors::cluster {

/// Without the name and the offers, which stand beside it.
sdk::Value value_of(const NodeCard& card);
NodeCard card_of(const sdk::Value& value);

/// {"nightly": 1, "wide": 3}
sdk::Value value_of(const std::vector<Offer>& offers);
Offers offers_of(const sdk::Value& value);

}  // namespace millrace::actors::cluster
