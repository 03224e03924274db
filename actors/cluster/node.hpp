// ClusterNode: a node of a cluster, as an actor: it carries out what its Membership decides.
//
//   ClusterNode node{system, {.coordination = pool, .cluster = "production", .card = card,
//                             .runner = &runner, .log = &log}};
//   node.status([](NodeStatus status) { … });
//   node.drain([] { … });
#pragma once

#include "actors/cluster/membership.hpp"
#include "actors/db/database_handle.hpp"
#include "connectors/sdk/log.hpp"

#include <functional>
#include <memory>
#include <string>

namespace caf {
class actor_system;
}

namespace millrace::actors::cluster {

/// What runs a node's slots. Called from the node's actor; must not block.
class SlotRunner {
public:
  /// Called when the slot does not run any more, whatever ended it; on any thread.
  using Ended = std::function<void()>;

  virtual ~SlotRunner() = default;

  virtual void start(const std::string& slot, std::uint64_t epoch, Ended ended) = 0;

  /// Lets open work finish.
  virtual void stop(const std::string& slot) = 0;

  /// At once.
  virtual void kill(const std::string& slot) = 0;
};

struct NodeSetup {
  DatabaseHandle coordination;
  std::string cluster = "millrace";
  MembershipOptions options = {};
  NodeCard card = {};
  SlotRunner* runner = nullptr;  // outlives the node
  sdk::Log* log = &sdk::silent_log();
  std::uint64_t seed = 0;  // 0: random
};

struct NodeStatus {
  MemberState state = MemberState::outside;
  NodeId id = nobody;
  View view;                              // the last that was read
  std::chrono::milliseconds good_for{0};  // so long it runs on if the server is not seen again
};

namespace detail {
struct NodeLink;
}

/// Callable from any thread. The copies share it.
class ClusterNode {
public:
  ClusterNode() = default;

  /// Makes the tables where they are missing, joins, and goes on trying where that fails.
  ClusterNode(caf::actor_system& system, NodeSetup setup);

  /// What the node says of itself from now on; whether it drains is kept.
  void change(NodeCard card) const;

  /// Gives back what it has, leaves, then calls `done`. Nothing starts any more.
  void drain(std::function<void()> done) const;

  void status(std::function<void(NodeStatus)> done) const;

  /// Kills what runs, and ends; the server learns of it when the lease is over.
  void close() const;

private:
  std::shared_ptr<detail::NodeLink> link_;
};

}  // namespace millrace::actors::cluster
