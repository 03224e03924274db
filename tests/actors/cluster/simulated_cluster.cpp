#include "tests/actors/cluster/simulated_cluster.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace millrace::actors::cluster {

namespace {

using namespace std::chrono_literals;

sdk::Error unreachable() {
  return {sdk::ErrorKind::connection, "no answer"};
}

}  // namespace

NodeId SimulatedServer::join(const NodeCard& card, int process, std::uint64_t attempt, Moment lease,
                             Moment now) {
  const auto held = std::ranges::find(rows_, card.name,
                                      [](const auto& row) { return row.second.node.card.name; });
  if (held != rows_.end()) {
    const auto& row = held->second;
    const bool is_older = row.process == process && row.attempt < attempt;
    if (row.expires > now && !is_older)
      return nobody;
    forget(held->first);
  }
  const auto id = ++last_;
  rows_[id] = {{id, card}, process, attempt, 0, now + lease};
  ++revision_;
  return id;
}

void SimulatedServer::forget(NodeId id) {
  for (auto& [slot, entry] : leases_) {
    if (entry.owner == id)
      entry.owner = nobody;
  }
  rows_.erase(id);
  ++revision_;
}

BeatReply SimulatedServer::beat(NodeId id, Moment lease, Moment now) {
  BeatReply reply;
  const auto own = rows_.find(id);
  reply.alive = own != rows_.end() && own->second.expires > now;
  if (reply.alive)
    own->second.expires = now + lease;
  std::vector<NodeId> dead;
  for (const auto& [other, row] : rows_) {
    if (row.expires <= now) {
      dead.push_back(other);
    } else if (other != id) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(row.expires - now);
      reply.next_death = std::min(reply.next_death.value_or(left), left);
    }
  }
  for (const auto other : dead)
    forget(other);
  reply.revision = revision_;
  return reply;
}

View SimulatedServer::view() const {
  View view{.revision = revision_, .nodes = {}, .leases = {}};
  for (const auto& [id, row] : rows_)
    view.nodes.push_back(row.node);
  for (const auto& [slot, entry] : leases_)
    view.leases.push_back(entry);
  return view;
}

bool SimulatedServer::acquire(NodeId id, const std::vector<std::string>& slots) {
  if (!rows_.contains(id))
    return false;
  for (const auto& slot : slots) {
    auto& entry = leases_[slot];
    entry.slot = slot;
    if (entry.owner != nobody)
      continue;
    entry.owner = id;
    ++entry.epoch;
    ++revision_;
  }
  return true;
}

void SimulatedServer::release(NodeId id, const std::vector<Tenancy>& slots) {
  for (const auto& [slot, epoch] : slots) {
    const auto found = leases_.find(slot);
    if (found == leases_.end() || found->second.owner != id || found->second.epoch != epoch)
      continue;
    found->second.owner = nobody;
    ++revision_;
  }
}

void SimulatedServer::leave(NodeId id) {
  if (rows_.contains(id))
    forget(id);
}

bool SimulatedServer::tell(NodeId id, std::uint64_t version, const NodeCard& card) {
  const auto found = rows_.find(id);
  if (found == rows_.end() || found->second.version >= version)
    return false;
  found->second.version = version;
  found->second.node.card = card;
  ++revision_;
  return true;
}

void SimulatedServer::want(const std::string& slot, const std::string& node) {
  leases_[slot].slot = slot;
  leases_[slot].wanted = node;
  ++revision_;
}

SimulatedCluster::SimulatedCluster(std::uint64_t seed, std::vector<NodeCard> cards,
                                   MembershipOptions options)
  : options_{options}, random_{seed} {
  nodes_.resize(cards.size());
  for (std::size_t i = 0; i < cards.size(); ++i) {
    nodes_[i].card = std::move(cards[i]);
    // Clocks differ by up to two percent: within margin / lease, with room to spare.
    nodes_[i].rate = 1 + (static_cast<double>(random_() % 4'001) - 2'000) / 100'000;
    nodes_[i].process = static_cast<int>(i);
    restart(i);
  }
}

void SimulatedCluster::at(Moment when, Event event) {
  events_.emplace(std::pair{when, ++order_}, std::move(event));
}

// For one life of the node; while that is frozen it waits.
void SimulatedCluster::on_node(std::size_t node, int process, Event event) {
  auto& target = nodes_[node];
  if (target.process != process || !target.membership)
    return;
  if (target.frozen_until > now_)
    target.held_up.emplace_back([this, node, process, event] { on_node(node, process, event); });
  else
    event();
}

sdk::Instant SimulatedCluster::local(const SimulatedNode& node) const {
  return sdk::Instant{} + 1h + std::chrono::duration_cast<sdk::Instant::duration>(now_ * node.rate);
}

Moment SimulatedCluster::below(Moment most) {
  return Moment{std::uniform_int_distribution<std::int64_t>{0, most.count()}(random_)};
}

bool SimulatedCluster::chance(int percent) {
  return std::uniform_int_distribution{0, 99}(random_) < percent;
}

void SimulatedCluster::run_for(std::chrono::milliseconds span) {
  const auto end = now_ + span;
  while (!events_.empty() && events_.begin()->first.first <= end) {
    auto event = events_.extract(events_.begin());
    now_ = event.key().first;
    event.mapped()();
  }
  now_ = end;
}

void SimulatedCluster::crash(std::size_t node) {
  auto& target = nodes_[node];
  target.membership.reset();
  target.running.clear();
  target.held_up.clear();
  target.frozen_until = {};
}

void SimulatedCluster::restart(std::size_t node) {
  auto& target = nodes_[node];
  if (target.membership)
    return;
  target.process += static_cast<int>(nodes_.size());
  target.was_frozen = false;
  target.draining = false;
  target.membership = std::make_unique<Membership>(options_, target.card, random_());
  target.membership->start(local(target));
  carry_out(node);
}

void SimulatedCluster::freeze(std::size_t node, std::chrono::milliseconds span) {
  auto& target = nodes_[node];
  if (!target.membership || target.frozen_until > now_)
    return;
  target.frozen_until = now_ + span;
  target.was_frozen = true;
  at(target.frozen_until, [this, node, process = target.process] {
    auto& thawed = nodes_[node];
    if (thawed.process != process || !thawed.membership)
      return;
    // What lay in the sockets comes in any order with the timer.
    auto events = std::exchange(thawed.held_up, {});
    std::ranges::shuffle(events, random_);
    for (const auto& event : events)
      event();
    on_node(node, process, [&] {
      thawed.membership->tick(local(thawed));
      carry_out(node);
    });
    for (const auto& [slot, running] : thawed.running)
      check(slot);
  });
}

void SimulatedCluster::cut(std::size_t node, bool to_server, bool from_server) {
  nodes_[node].cut_to = to_server;
  nodes_[node].cut_from = from_server;
}

void SimulatedCluster::drain(std::size_t node) {
  auto& target = nodes_[node];
  if (!target.membership || std::exchange(target.draining, true))
    return;
  target.membership->drain(local(target));
  carry_out(node);
}

void SimulatedCluster::finish(std::size_t node, const std::string& slot) {
  auto& target = nodes_[node];
  target.running.erase(slot);
  target.membership->stopped(slot, local(target));
  carry_out(node);
}

// A statement: it comes to the server or not, at once or late, and so does its answer. Who waits
// for longer than a second is told that there was none.
void SimulatedCluster::ask(std::size_t node,
                           std::function<std::function<void(Membership&, sdk::Instant)>()> serve,
                           std::function<void(Membership&, sdk::Instant)> fail) {
  ++statements_;
  const auto process = nodes_[node].process;
  auto answered = std::make_shared<bool>(false);
  const auto answer = [this, node, process, answered](auto reply) {
    on_node(node, process, [this, node, answered, reply] {
      if (std::exchange(*answered, true))
        return;
      reply(*nodes_[node].membership, local(nodes_[node]));
      carry_out(node);
    });
  };
  at(now_ + 1s, [answer, fail] { answer(fail); });
  const auto travel = [this] {
    return chance(weather_.slow_percent) ? below(3s) : below(weather_.delay);
  };
  if (nodes_[node].cut_to || chance(weather_.lost_percent))
    return;
  at(now_ + travel(), [this, node, serve, answer, travel] {
    if (server_down_)
      return;
    auto reply = serve();
    if (nodes_[node].cut_from || chance(weather_.lost_percent))
      return;
    at(now_ + travel(), [answer, reply] { answer(reply); });
  });
}

void SimulatedCluster::start_slot(std::size_t node, const StartSlot& start) {
  nodes_[node].running[start.slot] = {start.epoch};
  auto& last = epochs_[start.slot];
  if (start.epoch <= last)
    violations_.push_back(start.slot + ": epoch " + std::to_string(start.epoch) + " after "
                          + std::to_string(last));
  last = std::max(last, start.epoch);
  check(start.slot);
}

void SimulatedCluster::end_slot(std::size_t node, const std::string& slot, Moment within) {
  const auto found = nodes_[node].running.find(slot);
  if (found == nodes_[node].running.end())
    return;
  at(now_ + below(within), [this, node, slot, process = nodes_[node].process] {
    on_node(node, process, [this, node, slot] {
      if (nodes_[node].running.erase(slot) == 0)
        return;
      nodes_[node].membership->stopped(slot, local(nodes_[node]));
      carry_out(node);
    });
  });
}

void SimulatedCluster::carry_out(std::size_t node) {
  auto& target = nodes_[node];
  for (auto& action : target.membership->take_actions()) {
    const auto lease = Moment{options_.lease};
    std::visit(
      [&](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, AskJoin>) {
          ask(
            node,
            [this, card = target.membership->card(), process = target.process, lease,
             attempt = what.attempt] {
              const auto id = server_.join(card, process, attempt, lease, now_);
              return [id](Membership& membership, sdk::Instant now) { membership.joined(id, now); };
            },
            [](Membership& membership, sdk::Instant now) {
              membership.joined(unreachable(), now);
            });
        } else if constexpr (std::is_same_v<What, AskBeat>) {
          ask(
            node,
            [this, id = what.id, lease] {
              const auto reply = server_.beat(id, lease, now_);
              return [reply](Membership& membership, sdk::Instant now) {
                membership.beaten(reply, now);
              };
            },
            [](Membership& membership, sdk::Instant now) {
              membership.beaten(unreachable(), now);
            });
        } else if constexpr (std::is_same_v<What, AskView>) {
          ask(
            node,
            [this] {
              const auto view = server_.view();
              return
                [view](Membership& membership, sdk::Instant now) { membership.viewed(view, now); };
            },
            [](Membership& membership, sdk::Instant now) {
              membership.viewed(unreachable(), now);
            });
        } else if constexpr (std::is_same_v<What, AskAcquire>) {
          ask(
            node,
            [this, what] {
              const bool done = server_.acquire(what.id, what.slots);
              return [done](Membership& membership, sdk::Instant now) {
                membership.acquired(done ? sdk::Status{} : sdk::Status{unreachable()}, now);
              };
            },
            [](Membership& membership, sdk::Instant now) {
              membership.acquired(unreachable(), now);
            });
        } else if constexpr (std::is_same_v<What, AskRelease>) {
          ask(
            node,
            [this, what] {
              server_.release(what.id, what.slots);
              return [](Membership& membership, sdk::Instant now) { membership.released({}, now); };
            },
            [](Membership& membership, sdk::Instant now) {
              membership.released(unreachable(), now);
            });
        } else if constexpr (std::is_same_v<What, AskLeave>) {
          ask(
            node,
            [this, id = what.id] {
              server_.leave(id);
              return [](Membership& membership, sdk::Instant now) { membership.left({}, now); };
            },
            [](Membership& membership, sdk::Instant now) { membership.left(unreachable(), now); });
        } else if constexpr (std::is_same_v<What, AskCard>) {
          ask(
            node,
            [this, what, card = target.membership->card()] {
              server_.tell(what.id, what.version, card);
              return
                [](Membership& membership, sdk::Instant now) { membership.card_told({}, now); };
            },
            [](Membership& membership, sdk::Instant now) {
              membership.card_told(unreachable(), now);
            });
        } else if constexpr (std::is_same_v<What, StartSlot>) {
          start_slot(node, what);
        } else if constexpr (std::is_same_v<What, StopSlot>) {
          end_slot(node, what.slot, 2s);
        } else if constexpr (std::is_same_v<What, KillSlot>) {
          end_slot(node, what.slot, 50ms);
        }
      },
      action);
  }
  arm(node);
}

void SimulatedCluster::arm(std::size_t node) {
  auto& target = nodes_[node];
  const auto next = target.membership->next_tick();
  if (!next)
    return;
  const auto wait = std::max<sdk::Instant::duration>(*next - local(target), 0ns);
  const auto due = now_ + std::chrono::ceil<Moment>(wait / target.rate) + 1us;
  at(due, [this, node, process = target.process, tick = ++target.ticks] {
    on_node(node, process, [this, node, tick] {
      if (tick != nodes_[node].ticks)
        return;  // armed anew since
      nodes_[node].membership->tick(local(nodes_[node]));
      carry_out(node);
    });
  });
}

// What a frozen node had begun may go on for a moment when it thaws: that is what epochs are for.
// What it does from then on asks `may_act`.
bool SimulatedCluster::runs(std::size_t node, const std::string& slot) const {
  const auto& target = nodes_[node];
  if (!target.membership || target.frozen_until > now_ || !target.running.contains(slot))
    return false;
  return !target.was_frozen || target.membership->may_act(local(target));
}

std::vector<std::size_t> SimulatedCluster::runners(const std::string& slot) const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (runs(i, slot))
      found.push_back(i);
  }
  return found;
}

void SimulatedCluster::check(const std::string& slot) {
  const auto found = runners(slot);
  if (found.size() < 2)
    return;
  std::string text = slot + " at " + std::to_string(now_.count()) + " us runs on";
  for (const auto node : found)
    text += " " + nodes_[node].card.name;
  violations_.push_back(std::move(text));
}

}  // namespace millrace::actors::cluster
