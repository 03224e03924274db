// A cluster in one thread: nodes with clocks of their own, a coordination server that keeps the
// rules of the SQL one, and a network that delays, loses and reorders. Time is simulated.
//
//   SimulatedCluster cluster{seed, 3};
//   cluster.run_for(30s);
//   cluster.crash(0);
#pragma once

#include "actors/cluster/membership.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace millrace::actors::cluster {

/// True time since the beginning; the server's clock shows it.
using Moment = std::chrono::microseconds;

class SimulatedServer {
public:
  NodeId join(const NodeCard& card, int process, std::uint64_t attempt, Moment lease, Moment now);
  BeatReply beat(NodeId id, Moment lease, Moment now);
  View view() const;
  bool acquire(NodeId id, const std::vector<std::string>& slots);
  void release(NodeId id, const std::vector<Tenancy>& slots);
  void leave(NodeId id);
  bool tell(NodeId id, std::uint64_t version, const NodeCard& card);
  void want(const std::string& slot, const std::string& node);

private:
  struct Row {
    Node node;
    int process = 0;
    std::uint64_t attempt = 0;
    std::uint64_t version = 0;  // of its card
    Moment expires{};
  };

  void forget(NodeId id);

  std::map<NodeId, Row> rows_;
  std::map<std::string, Lease> leases_;
  std::int64_t revision_ = 0;
  NodeId last_ = nobody;
};

struct Weather {
  Moment delay{2'000};   // of a message, at most
  int slow_percent = 0;  // that take up to three seconds
  int lost_percent = 0;
};

class SimulatedCluster {
public:
  SimulatedCluster(std::uint64_t seed, std::vector<NodeCard> cards, MembershipOptions options = {});

  void run_for(std::chrono::milliseconds span);

  // --- what goes wrong
  void crash(std::size_t node);
  void restart(std::size_t node);
  void freeze(std::size_t node, std::chrono::milliseconds span);  // SIGSTOP, then SIGCONT
  void cut(std::size_t node, bool to_server, bool from_server);

  void server_down(bool down) { server_down_ = down; }

  void drain(std::size_t node);

  void weather(Weather weather) { weather_ = weather; }

  // --- what is seen
  std::size_t size() const { return nodes_.size(); }

  bool runs(std::size_t node, const std::string& slot) const;
  std::vector<std::size_t> runners(const std::string& slot) const;

  const Membership* membership(std::size_t node) const { return nodes_[node].membership.get(); }

  SimulatedServer& server() { return server_; }

  Moment now() const { return now_; }

  std::uint64_t statements() const { return statements_; }

  /// What must never be: two who run one slot, an epoch that does not rise.
  const std::vector<std::string>& violations() const { return violations_; }

  /// A pipeline ends by itself.
  void finish(std::size_t node, const std::string& slot);

private:
  struct Running {
    std::uint64_t epoch = 0;
    bool ending = false;
  };

  struct SimulatedNode {
    NodeCard card;
    std::unique_ptr<Membership> membership;
    int process = 0;  // another one in each of its lives
    double rate = 1;  // of its clock
    Moment frozen_until{};
    bool was_frozen = false;
    bool cut_to = false;
    bool cut_from = false;
    bool draining = false;
    std::uint64_t ticks = 0;
    std::map<std::string, Running> running;
    std::vector<std::function<void()>> held_up;  // while it is frozen
  };

  using Event = std::function<void()>;

  void at(Moment when, Event event);
  void on_node(std::size_t node, int process, Event event);
  sdk::Instant local(const SimulatedNode& node) const;
  void carry_out(std::size_t node);
  void ask(std::size_t node, std::function<std::function<void(Membership&, sdk::Instant)>()> serve,
           std::function<void(Membership&, sdk::Instant)> fail);
  void start_slot(std::size_t node, const StartSlot& start);
  void end_slot(std::size_t node, const std::string& slot, Moment within);
  void arm(std::size_t node);
  void check(const std::string& slot);
  Moment below(Moment most);
  bool chance(int percent);

  MembershipOptions options_;
  std::mt19937_64 random_;
  SimulatedServer server_;
  bool server_down_ = false;
  Weather weather_;
  std::vector<SimulatedNode> nodes_;
  Moment now_{};
  std::uint64_t order_ = 0;
  std::map<std::pair<Moment, std::uint64_t>, Event> events_;
  std::map<std::string, std::uint64_t> epochs_;  // the last that ran
  std::vector<std::string> violations_;
  std::uint64_t statements_ = 0;
};

}  // namespace millrace::actors::cluster
