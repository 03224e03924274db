#include "actors/cluster/node.hpp"

#include "actors/caf.hpp"
#include "actors/cluster/coordination.hpp"
#include "connectors/sdk/boot_clock.hpp"

#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace millrace::actors::cluster {

namespace {

/// Something that happened, for the membership.
struct NodeEvent {
  std::shared_ptr<const std::function<void(Membership&, sdk::Instant)>> apply;
};

struct NodeTick {
  std::uint64_t number = 0;
};

struct DrainNode {
  std::function<void()> done;
};

struct AskNodeStatus {
  std::function<void(NodeStatus)> done;
};

/// Whether the tables are there.
struct TablesReady {
  sdk::Status status;
};

struct PrepareTables {};

struct CloseNode {};

using NodeActor =
  caf::typed_actor<caf::reacts_to<NodeEvent>, caf::reacts_to<NodeTick>, caf::reacts_to<DrainNode>,
                   caf::reacts_to<AskNodeStatus>, caf::reacts_to<TablesReady>,
                   caf::reacts_to<PrepareTables>, caf::reacts_to<CloseNode>>;

}  // namespace

namespace detail {

struct NodeLink {
  NodeActor actor;
};

}  // namespace detail

}  // namespace millrace::actors::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::NodeEvent)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::NodeTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::DrainNode)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::AskNodeStatus)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::TablesReady)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::PrepareTables)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::cluster::CloseNode)

namespace millrace::actors::cluster {

namespace {

struct NodeState {
  static const char* name;  // NOLINT(readability-identifier-naming): CAF's

  NodeSetup setup;
  std::optional<Coordination> coordination;
  std::optional<Membership> membership;
  bool started = false;
  bool draining = false;
  std::uint64_t ticks = 0;
  std::vector<std::function<void()>> drained;
};

const char* NodeState::name = "cluster.node";

using Self = NodeActor::stateful_pointer<NodeState>;

constexpr std::chrono::seconds prepare_pause{1};

sdk::Instant now() {
  return sdk::boot_clock().now();
}

std::string random_process() {
  std::random_device random;
  return std::to_string((std::uint64_t{random()} << 32U) | random());
}

NodeActor handle_of(Self self) {
  return caf::actor_cast<NodeActor>(self);
}

void tell(const NodeActor& actor, std::function<void(Membership&, sdk::Instant)> apply) {
  caf::anon_send(actor,
                 NodeEvent{std::make_shared<const std::function<void(Membership&, sdk::Instant)>>(
                   std::move(apply))});
}

// The answer of the coordination server, back in the actor.
template <class Reply>
auto reply_to(const NodeActor& actor, void (Membership::*take)(Reply, sdk::Instant)) {
  using Plain = std::decay_t<Reply>;
  return [actor, take](Plain reply) {
    tell(actor, [take, reply = std::move(reply)](Membership& membership, sdk::Instant at) {
      (membership.*take)(reply, at);
    });
  };
}

void carry_out(Self self, const AskJoin& ask) {
  self->state.coordination->join(self->state.membership->card(), ask.attempt,
                                 reply_to(handle_of(self), &Membership::joined));
}

void carry_out(Self self, const AskBeat& ask) {
  self->state.coordination->beat(ask.id, reply_to(handle_of(self), &Membership::beaten));
}

void carry_out(Self self, const AskView&) {
  self->state.coordination->view(reply_to(handle_of(self), &Membership::viewed));
}

void carry_out(Self self, const AskAcquire& ask) {
  self->state.coordination->acquire(ask.id, ask.slots,
                                    reply_to(handle_of(self), &Membership::acquired));
}

void carry_out(Self self, const AskRelease& ask) {
  self->state.coordination->release(ask.id, ask.slots,
                                    reply_to(handle_of(self), &Membership::released));
}

void carry_out(Self self, const AskLeave& ask) {
  self->state.coordination->leave(ask.id, reply_to(handle_of(self), &Membership::left));
}

void carry_out(Self self, const AskCard& ask) {
  self->state.coordination->tell(ask.id, ask.version, self->state.membership->card(),
                                 reply_to(handle_of(self), &Membership::card_told));
}

void carry_out(Self self, const StartSlot& start) {
  const auto& setup = self->state.setup;
  setup.log->info("slot starts here", {{"cluster", sdk::Value{setup.cluster}},
                                       {"slot", sdk::Value{start.slot}},
                                       {"epoch", sdk::Value{start.epoch}}});
  setup.runner->start(start.slot, start.epoch, [actor = handle_of(self), slot = start.slot] {
    tell(actor, [slot](Membership& membership, sdk::Instant at) { membership.stopped(slot, at); });
  });
}

void carry_out(Self self, const StopSlot& stop) {
  self->state.setup.log->info("slot moves away", {{"slot", sdk::Value{stop.slot}}});
  self->state.setup.runner->stop(stop.slot);
}

void carry_out(Self self, const KillSlot& kill) {
  self->state.setup.log->warn("slot is given up at once", {{"slot", sdk::Value{kill.slot}}});
  self->state.setup.runner->kill(kill.slot);
}

void carry_out(Self self, const Report& report) {
  const auto& setup = self->state.setup;
  auto& log = *setup.log;
  const sdk::LogField cluster{"cluster", sdk::Value{setup.cluster}};
  const sdk::LogField node{"node", sdk::Value{setup.card.name}};
  const sdk::LogField reason{"reason", sdk::Value{report.error ? report.error->to_string() : ""}};
  switch (report.what) {
  case Report::What::joined:
    log.info("joined the cluster", {cluster, node});
    break;
  case Report::What::name_in_use:
    log.error("another process has this node's name; waiting until it is gone", {cluster, node});
    break;
  case Report::What::lost:
    log.error("lost the place in the cluster: what must not run twice is stopped", {cluster, node});
    break;
  case Report::What::unreachable:
    log.error("the coordination server cannot be reached", {cluster, node, reason});
    break;
  case Report::What::reachable:
    log.info("the coordination server answers again", {cluster, node});
    break;
  case Report::What::left:
    log.info("left the cluster", {cluster, node});
    break;
  }
}

// What the membership decided since the last message.
void settle(Self self) {
  auto& state = self->state;
  for (const auto& action : state.membership->take_actions())
    std::visit([self](const auto& what) { carry_out(self, what); }, action);
  if (state.membership->state() == MemberState::gone) {
    for (const auto& done : std::exchange(state.drained, {}))
      done();
  }
  const auto next = state.membership->next_tick();
  if (!next)
    return;
  const auto wait = std::max<sdk::Instant::duration>(*next - now(), std::chrono::milliseconds{1});
  self->delayed_send(handle_of(self), std::chrono::duration_cast<caf::timespan>(wait),
                     NodeTick{++state.ticks});
}

void prepare(Self self) {
  self->state.coordination->prepare([actor = handle_of(self)](sdk::Status status) {
    caf::anon_send(actor, TablesReady{std::move(status)});
  });
}

NodeActor::behavior_type node(Self self, NodeSetup setup) {
  report_exceptions(self);
  auto& state = self->state;
  state.setup = std::move(setup);
  const auto& options = state.setup.options;
  state.coordination.emplace(state.setup.coordination, state.setup.cluster, random_process(),
                             options.lease);
  const auto seed = state.setup.seed != 0 ? state.setup.seed : std::random_device{}();
  state.membership.emplace(options, state.setup.card, seed);
  prepare(self);
  return {
    [self](const NodeEvent& event) {
      if (!self->state.started)
        return;
      (*event.apply)(*self->state.membership, now());
      settle(self);
    },
    [self](NodeTick tick) {
      if (tick.number != self->state.ticks)
        return;  // armed anew since
      self->state.membership->tick(now());
      settle(self);
    },
    [self](const DrainNode& drain) {
      auto& ours = self->state;
      ours.drained.push_back(drain.done);
      ours.draining = true;
      ours.membership->drain(now());
      settle(self);
    },
    [self](const AskNodeStatus& ask) {
      const auto& membership = *self->state.membership;
      ask.done(
        {membership.state(), membership.id(), membership.view(), membership.good_for(now())});
    },
    [self](const TablesReady& ready) {
      auto& ours = self->state;
      if (ours.draining || ours.started)
        return;
      if (!ready.status) {
        ours.setup.log->error("the coordination tables cannot be made",
                              {{"cluster", sdk::Value{ours.setup.cluster}},
                               {"reason", sdk::Value{ready.status.error().to_string()}}});
        self->delayed_send(handle_of(self), prepare_pause, PrepareTables{});
        return;
      }
      ours.started = true;
      ours.membership->start(now());
      settle(self);
    },
    [self](PrepareTables) { prepare(self); },
    [self](CloseNode) {
      if (self->state.started) {
        self->state.membership->give_up();
        settle(self);
      }
      self->quit();
    },
  };
}

}  // namespace

ClusterNode::ClusterNode(caf::actor_system& system, NodeSetup setup)
  : link_{std::make_shared<detail::NodeLink>()} {
  link_->actor = system.spawn(node, std::move(setup));
}

void ClusterNode::change(NodeCard card) const {
  tell(link_->actor, [card = std::move(card)](Membership& membership, sdk::Instant at) {
    membership.change(card, at);
  });
}

void ClusterNode::drain(std::function<void()> done) const {
  caf::anon_send(link_->actor, DrainNode{std::move(done)});
}

void ClusterNode::status(std::function<void(NodeStatus)> done) const {
  caf::anon_send(link_->actor, AskNodeStatus{std::move(done)});
}

void ClusterNode::close() const {
  caf::anon_send(link_->actor, CloseNode{});
}

}  // namespace millrace::actors::cluster
