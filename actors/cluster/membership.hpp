// Membership: the decisions of one node of a cluster, without actors and without I/O. It joins,
// keeps its place by beats, and says which slots the node runs.
//
//   Membership membership{options, card, seed};
//   membership.start(now);
//   for (auto& action : membership.take_actions()) …   // ask the coordination server, run, stop
//   arm(membership.next_tick());
//
// Why no slot ever runs on two nodes: the server forgets a node (and with it who owns what) only
// after `lease` since that node's last beat, by the server's clock. The node counts the same time
// from before it *sent* that beat, by a clock of its own that also runs while the machine sleeps,
// and stops everything `margin` earlier. Neither compares its clock with another's; it is enough
// that none runs faster than the other by more than margin / lease.
#pragma once

#include "actors/cluster/view.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/result.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::actors::cluster {

struct MembershipOptions {
  std::chrono::milliseconds lease{10'000};
  std::chrono::milliseconds margin{1'000};  // so much earlier a node stops by itself
  std::chrono::milliseconds beat{2'500};    // how often it shows that it lives
  std::chrono::milliseconds patience{
    1'000};  // after an error, before it asks again: half to all of it
};

/// What the coordination server answers to a beat.
struct BeatReply {
  bool alive = false;  // else the node was forgotten, and has to join anew
  std::int64_t revision = 0;
  std::optional<std::chrono::milliseconds> next_death;  // when the first other node is due
};

// --- asked of the coordination server; each is answered by the method of its name
/// Of one process; a later one takes the place of an earlier one, and never the other way round,
/// however late that reaches the server.
struct AskJoin {
  std::uint64_t attempt;
};

struct AskBeat {
  NodeId id;
};

struct AskView {};

struct AskAcquire {
  NodeId id;
  std::vector<std::string> slots;
};

/// Only under these epochs: one that reaches the server late must not free what was taken since.
struct AskRelease {
  NodeId id;
  std::vector<Tenancy> slots;
};

struct AskLeave {
  NodeId id;
};

/// What the node says of itself has changed. A card of an older version changes nothing.
struct AskCard {
  NodeId id;
  std::uint64_t version;
};

// --- asked of the engine
struct StartSlot {
  std::string slot;
  std::uint64_t epoch;
};

/// Lets open work finish; `stopped` tells when.
struct StopSlot {
  std::string slot;
};

/// At once: nothing of it may have an effect from here on. `stopped` tells when.
struct KillSlot {
  std::string slot;
};

// --- for people
struct Report {
  enum class What : std::uint8_t { joined, name_in_use, lost, unreachable, reachable, left };

  What what;
  std::optional<sdk::Error> error = std::nullopt;
};

using Action = std::variant<AskJoin, AskBeat, AskView, AskAcquire, AskRelease, AskLeave, AskCard,
                            StartSlot, StopSlot, KillSlot, Report>;

enum class MemberState : std::uint8_t { outside, joining, member, leaving, gone };

std::string_view to_string(MemberState state) noexcept;

class Membership {
public:
  Membership(MembershipOptions options, NodeCard card, std::uint64_t seed);

  void start(sdk::Instant now);

  /// What the node says of itself from now on: after a reload of its files.
  void change(NodeCard card, sdk::Instant now);

  /// Gives everything back, then leaves.
  void drain(sdk::Instant now);

  /// nobody: another process has the name.
  void joined(sdk::Result<NodeId> reply, sdk::Instant now);
  void beaten(sdk::Result<BeatReply> reply, sdk::Instant now);
  void viewed(sdk::Result<View> reply, sdk::Instant now);
  void acquired(const sdk::Status& reply, sdk::Instant now);
  void released(const sdk::Status& reply, sdk::Instant now);
  void left(const sdk::Status& reply, sdk::Instant now);
  void card_told(const sdk::Status& reply, sdk::Instant now);

  /// The slot does not run any more, as it was told or by itself.
  void stopped(const std::string& slot, sdk::Instant now);

  void tick(sdk::Instant now);

  std::vector<Action> take_actions() { return std::exchange(actions_, {}); }

  /// When `tick` has something to do next; none: never.
  std::optional<sdk::Instant> next_tick() const;

  /// Whether what the node runs may still have effects.
  bool may_act(sdk::Instant now) const { return now < good_until_; }

  /// So long that holds, if no beat is answered any more.
  std::chrono::milliseconds good_for(sdk::Instant now) const;

  /// Kills what runs, for good: the process is about to end.
  void give_up();

  MemberState state() const noexcept { return state_; }

  NodeId id() const noexcept { return id_; }

  const NodeCard& card() const noexcept { return card_; }

  const View& view() const noexcept { return view_; }  // the last that was read

private:
  enum class Run : std::uint8_t { running, stopping, killed };

  struct Held {
    Run run = Run::running;
    std::uint64_t epoch = 0;
  };

  void join(sdk::Instant now);
  void beat(sdk::Instant now);
  void lose(std::optional<sdk::Error> error, sdk::Instant now);
  void kill_all();
  void work(sdk::Instant now);
  bool change_leases();
  void run_slots();
  void trouble(const sdk::Error& error);
  void well();
  std::chrono::milliseconds pause();
  bool wants(const std::string& slot) const;
  bool answered(const sdk::Status& reply, sdk::Instant now);

  MembershipOptions options_;
  NodeCard card_;
  std::mt19937_64 random_;
  MemberState state_ = MemberState::outside;
  NodeId id_ = nobody;
  sdk::Instant good_until_ = sdk::Instant::min();  // the tenure ends then
  sdk::Instant sent_;                              // the join or beat under way
  bool beating_ = false;
  sdk::Instant beat_at_;
  bool asking_ = false;      // anything but a beat is under way: one at a time
  sdk::Instant ask_at_;      // not before
  bool card_stale_ = false;  // the server has another card than ours
  bool view_stale_ = true;
  bool unreachable_ = false;  // and that was said
  bool name_taken_ = false;   // and that was said
  View view_;
  std::map<std::string, NodeId> placed_;
  std::map<std::string, Held> held_;
  std::map<std::string, std::uint64_t> ended_;  // by themselves, under this epoch
  std::map<std::string, std::uint64_t> ran_;    // and ended, as they were told
  std::uint64_t attempts_ = 0;                  // to join
  std::uint64_t card_version_ = 0;
  std::vector<Action> actions_;
};

}  // namespace millrace::actors::cluster
