#include "actors/cluster/placement.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

namespace millrace::actors::cluster {

namespace {

constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

// The same on every node and in every version: FNV-1a, which std::hash is not bound to be.
std::uint64_t mix(std::string_view first, std::string_view second) {
  std::uint64_t hash = 14695981039346656037U;
  for (const auto text : {first, std::string_view{"\0", 1}, second}) {
    for (const char byte : text)
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211U;
  }
  // Its high bits hardly know of the last bytes.
  hash ^= hash >> 32U;
  return hash * 0x9E3779B97F4A7C15U;
}

struct Slot {
  std::string name;
  std::vector<std::size_t> able;  // nodes that offer it and take something new
  std::size_t node = nowhere;
  bool pinned = false;
};

class Placing {
public:
  explicit Placing(const View& view) {
    for (const auto& node : view.nodes)
      nodes_.push_back(&node);
    std::ranges::sort(nodes_, {}, [](const Node* node) { return node->card.name; });
    loads_.resize(nodes_.size());
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      add_offers(i);
    for (auto& [name, slot] : slots_)
      slot.name = name;
    for (const auto& lease : view.leases)
      keep(lease);
  }

  std::map<std::string, NodeId> run() {
    for (auto& [name, slot] : slots_) {
      if (slot.node == nowhere && !slot.able.empty())
        put(slot, best(slot));
    }
    balance();
    std::map<std::string, NodeId> placed;
    for (const auto& [name, slot] : slots_) {
      if (slot.node != nowhere)
        placed.emplace(name, nodes_[slot.node]->id);
    }
    return placed;
  }

private:
  void add_offers(std::size_t index) {
    const auto& card = nodes_[index]->card;
    if (card.draining)
      return;
    for (const auto& offer : *card.offers) {
      for (std::uint32_t replica = 0; replica < offer.replicas; ++replica)
        slots_[slot_name(offer.pipeline, replica)].able.push_back(index);
    }
  }

  void keep(const Lease& lease) {
    const auto found = slots_.find(lease.slot);
    if (found == slots_.end())
      return;
    auto& slot = found->second;
    const auto able = [&](auto fits) {
      const auto node = std::ranges::find_if(
        slot.able, [&](std::size_t index) { return fits(*nodes_[index]); });
      return node == slot.able.end() ? nowhere : *node;
    };
    const auto wanted = able([&](const Node& node) { return node.card.name == lease.wanted; });
    const auto owner = able([&](const Node& node) { return node.id == lease.owner; });
    slot.pinned = wanted != nowhere;
    if (const auto node = slot.pinned ? wanted : owner; node != nowhere)
      put(slot, node);
  }

  void put(Slot& slot, std::size_t node) {
    if (slot.node != nowhere) {
      --loads_[slot.node];
      --siblings_[{slot.node, pipeline_of(slot.name)}];
    }
    slot.node = node;
    ++loads_[node];
    ++siblings_[{node, pipeline_of(slot.name)}];
  }

  std::size_t siblings(std::size_t node, const Slot& slot) const {
    const auto found = siblings_.find({node, pipeline_of(slot.name)});
    return found == siblings_.end() ? 0 : found->second;
  }

  // Apart from its siblings, then where there is least, then by lot.
  std::size_t best(const Slot& slot) const {
    const auto rank = [&](std::size_t node) {
      return std::tuple{siblings(node, slot), loads_[node],
                        mix(slot.name, nodes_[node]->card.name)};
    };
    return *std::ranges::min_element(slot.able, {}, rank);
  }

  // Whether it is worth the pause: two more here than there, or siblings that could live apart.
  bool is_better(const Slot& slot, std::size_t to) const {
    const auto here = siblings(slot.node, slot);
    const auto there = siblings(to, slot) + 1;
    if (here != there)
      return there < here && loads_[to] <= loads_[slot.node];
    return loads_[to] + 1 < loads_[slot.node];
  }

  // From the fullest node to the emptiest that can take one, until nothing gains by it. Each move
  // makes the loads more even, or parts siblings, so it ends.
  void balance() {
    for (auto left = slots_.size() * 2; left > 0; --left) {
      Slot* moved = nullptr;
      auto target = nowhere;
      auto rank = std::tuple{std::size_t{0}, std::size_t{0}, std::uint64_t{0}};
      for (auto& [name, slot] : slots_) {
        if (slot.node == nowhere || slot.pinned || loads_[slot.node] < std::get<0>(rank))
          continue;
        const auto to = best_move(slot);
        if (to == nowhere)
          continue;
        const auto gain = std::tuple{loads_[slot.node], nodes_.size() * slots_.size() - loads_[to],
                                     mix(name, nodes_[to]->card.name)};
        if (moved == nullptr || gain > rank) {
          moved = &slot;
          target = to;
          rank = gain;
        }
      }
      if (moved == nullptr)
        return;
      put(*moved, target);
    }
  }

  std::size_t best_move(const Slot& slot) const {
    auto found = nowhere;
    for (const auto node : slot.able) {
      if (node != slot.node && is_better(slot, node)
          && (found == nowhere || loads_[node] < loads_[found]))
        found = node;
    }
    return found;
  }

  std::vector<const Node*> nodes_;  // by name
  std::vector<std::size_t> loads_;
  std::map<std::string, Slot> slots_;
  std::map<std::pair<std::size_t, std::string_view>, std::size_t> siblings_;  // by node, pipeline
};

}  // namespace

std::string slot_name(std::string_view pipeline, std::uint32_t replica) {
  return std::string{pipeline} + "/" + std::to_string(replica);
}

std::string_view pipeline_of(std::string_view slot) noexcept {
  return slot.substr(0, slot.rfind('/'));
}

std::map<std::string, NodeId> place(const View& view) {
  return Placing{view}.run();
}

}  // namespace millrace::actors::cluster
