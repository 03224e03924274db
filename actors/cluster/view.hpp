// What the coordination server knows of a cluster: its nodes, and who owns which slot.
//
// A slot is one replica of a pipeline that must not run twice: "nightly/0". A pipeline that runs
// everywhere has none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::actors::cluster {

/// Of one life of a node: each time it joins it gets another one, which was never given before.
using NodeId = std::int64_t;

inline constexpr NodeId nobody = 0;

/// A pipeline that a node can run: it has it in its files, and the labels that it asks for.
struct Offer {
  std::string pipeline;
  std::uint32_t replicas = 1;

  friend bool operator==(const Offer&, const Offer&) = default;
};

/// Nodes with the same files share one list.
using Offers = std::shared_ptr<const std::vector<Offer>>;

inline Offers make_offers(std::vector<Offer> offers) {
  return std::make_shared<const std::vector<Offer>>(std::move(offers));
}

/// What a node says of itself.
struct NodeCard {
  std::string name;
  std::string address;  // where other nodes reach it
  std::map<std::string, std::string> labels;
  std::string version;
  Offers offers = make_offers({});
  bool draining = false;  // takes nothing new, and gives away what it has
};

struct Node {
  NodeId id = nobody;
  NodeCard card;
};

/// A slot under one epoch.
struct Tenancy {
  std::string slot;
  std::uint64_t epoch = 0;
};

struct Lease {
  std::string slot;
  NodeId owner = nobody;
  std::uint64_t epoch = 0;  // rises each time somebody gets it: what bears an older one is refused
  std::string wanted;       // the node that a person asked for; empty: none
};

/// As of one moment.
struct View {
  std::int64_t revision = 0;  // rises with each change of what stands here
  std::vector<Node> nodes;
  std::vector<Lease> leases;
};

/// "nightly", 0 -> "nightly/0".
std::string slot_name(std::string_view pipeline, std::uint32_t replica);

/// "nightly/0" -> "nightly".
std::string_view pipeline_of(std::string_view slot) noexcept;

}  // namespace millrace::actors::cluster
