#include "actors/cluster/membership.hpp"

#include "actors/cluster/placement.hpp"

#include <algorithm>

namespace millrace::actors::cluster {

namespace {

bool was(const std::map<std::string, std::uint64_t>& epochs, const std::string& slot,
         std::uint64_t epoch) {
  const auto found = epochs.find(slot);
  return found != epochs.end() && found->second == epoch;
}

}  // namespace

std::string_view to_string(MemberState state) noexcept {
  switch (state) {
  case MemberState::outside:
    return "outside";
  case MemberState::joining:
    return "joining";
  case MemberState::member:
    return "member";
  case MemberState::leaving:
    return "leaving";
  case MemberState::gone:
    break;
  }
  return "gone";
}

Membership::Membership(MembershipOptions options, NodeCard card, std::uint64_t seed)
  : options_{options}, card_{std::move(card)}, random_{seed} {
}

void Membership::start(sdk::Instant now) {
  join(now);
}

void Membership::change(NodeCard card, sdk::Instant now) {
  card.draining = card_.draining;
  card_ = std::move(card);
  card_stale_ = true;
  work(now);
}

void Membership::drain(sdk::Instant now) {
  card_.draining = true;
  card_stale_ = true;
  // Who never joined, or was forgotten, has nothing to give back.
  if (state_ == MemberState::outside)
    state_ = MemberState::gone;
  work(now);
}

void Membership::join(sdk::Instant now) {
  state_ = MemberState::joining;
  asking_ = true;
  card_stale_ = false;
  sent_ = now;
  actions_.emplace_back(AskJoin{++attempts_});
}

void Membership::joined(sdk::Result<NodeId> reply, sdk::Instant now) {
  asking_ = false;
  if (!reply || *reply == nobody) {
    state_ = card_.draining ? MemberState::gone : MemberState::outside;
    if (!reply)
      trouble(reply.error());
    else if (!std::exchange(name_taken_, true))
      actions_.emplace_back(Report{Report::What::name_in_use});
    ask_at_ = now + pause();
    return;
  }
  well();
  name_taken_ = false;
  state_ = MemberState::member;
  id_ = *reply;
  ended_.clear();
  ran_.clear();
  card_version_ = 0;
  good_until_ = sent_ + options_.lease - options_.margin;
  beat_at_ = sent_ + options_.beat;
  view_stale_ = true;
  actions_.emplace_back(Report{Report::What::joined});
  work(now);
}

void Membership::beat(sdk::Instant now) {
  beating_ = true;
  sent_ = now;
  actions_.emplace_back(AskBeat{id_});
}

void Membership::beaten(sdk::Result<BeatReply> reply, sdk::Instant now) {
  if (!std::exchange(beating_, false) || id_ == nobody)
    return;  // of a life that is over
  if (!reply) {
    // It may have been counted; we do not count on it.
    trouble(reply.error());
    beat_at_ = now + pause();
    return;
  }
  if (!reply->alive) {
    lose(std::nullopt, now);
    return;
  }
  well();
  good_until_ = std::max(good_until_, sent_ + options_.lease - options_.margin);
  beat_at_ = sent_ + options_.beat;
  if (reply->next_death) {
    // Whoever looks first buries it; all looking at once would be of no use.
    std::uniform_int_distribution<std::int64_t> spread{0, options_.beat.count() / 5};
    beat_at_ = std::min(beat_at_,
                        now + *reply->next_death + std::chrono::milliseconds{spread(random_)});
  }
  view_stale_ = view_stale_ || reply->revision != view_.revision;
  work(now);
}

void Membership::viewed(sdk::Result<View> reply, sdk::Instant now) {
  asking_ = false;
  if (!reply) {
    trouble(reply.error());
    ask_at_ = now + pause();
    return;
  }
  well();
  // What is done from here on may have changed it again.
  view_stale_ = false;
  view_ = std::move(*reply);
  placed_ = place(view_);
  if (state_ == MemberState::member || state_ == MemberState::leaving)
    run_slots();
  work(now);
}

// Whether slots were got or not the view tells.
bool Membership::answered(const sdk::Status& reply, sdk::Instant now) {
  asking_ = false;
  if (reply) {
    well();
  } else {
    trouble(reply.error());
    ask_at_ = now + pause();
  }
  return static_cast<bool>(reply);
}

void Membership::acquired(const sdk::Status& reply, sdk::Instant now) {
  answered(reply, now);
  view_stale_ = true;
  work(now);
}

void Membership::released(const sdk::Status& reply, sdk::Instant now) {
  answered(reply, now);
  view_stale_ = true;
  work(now);
}

void Membership::card_told(const sdk::Status& reply, sdk::Instant now) {
  card_stale_ = !answered(reply, now) || card_stale_;
  view_stale_ = true;
  work(now);
}

void Membership::left(const sdk::Status& reply, sdk::Instant now) {
  if (!answered(reply, now)) {
    state_ = MemberState::member;
    view_stale_ = true;
    return;
  }
  id_ = nobody;
  good_until_ = sdk::Instant::min();
  state_ = MemberState::gone;
  actions_.emplace_back(Report{Report::What::left});
}

void Membership::stopped(const std::string& slot, sdk::Instant now) {
  const auto found = held_.find(slot);
  if (found == held_.end())
    return;
  // What has finished or failed by itself neither begins again nor moves on to the next node.
  if (found->second.run == Run::running) {
    ended_[slot] = found->second.epoch;
  } else {
    ran_[slot] = found->second.epoch;
    view_stale_ = true;
  }
  held_.erase(found);
  work(now);
}

void Membership::tick(sdk::Instant now) {
  if (id_ != nobody && !may_act(now)) {
    lose(std::nullopt, now);
    return;
  }
  if (id_ != nobody && !beating_ && now >= beat_at_)
    beat(now);
  work(now);
}

void Membership::lose(std::optional<sdk::Error> error, sdk::Instant now) {
  kill_all();
  id_ = nobody;
  good_until_ = sdk::Instant::min();
  beating_ = false;
  view_stale_ = true;
  actions_.emplace_back(Report{Report::What::lost, std::move(error)});
  state_ = card_.draining ? MemberState::gone : MemberState::outside;
  ask_at_ = now;
  work(now);
}

void Membership::give_up() {
  kill_all();
  id_ = nobody;
  good_until_ = sdk::Instant::min();
  state_ = MemberState::gone;
}

std::chrono::milliseconds Membership::good_for(sdk::Instant now) const {
  using std::chrono::milliseconds;
  return may_act(now) ? std::chrono::duration_cast<milliseconds>(good_until_ - now)
                      : milliseconds{0};
}

void Membership::kill_all() {
  for (auto& [slot, held] : held_) {
    if (std::exchange(held.run, Run::killed) != Run::killed)
      actions_.emplace_back(KillSlot{slot});
  }
}

// The next thing to ask, where nothing is under way.
void Membership::work(sdk::Instant now) {
  if (asking_ || now < ask_at_)
    return;
  if (state_ == MemberState::outside) {
    // Joining anew frees what the life before had: nothing of that may still run.
    if (held_.empty())
      join(now);
    return;
  }
  if (state_ != MemberState::member)
    return;
  if (card_stale_) {
    card_stale_ = false;
    asking_ = true;
    actions_.emplace_back(AskCard{id_, ++card_version_});
  } else if (view_stale_) {
    asking_ = true;
    actions_.emplace_back(AskView{});
  } else {
    asking_ = change_leases();
  }
}

bool Membership::wants(const std::string& slot) const {
  const auto found = placed_.find(slot);
  return found != placed_.end() && found->second == id_;
}

// What we own and do not run any more nor want goes back before anything new is taken.
bool Membership::change_leases() {
  std::vector<Tenancy> back;
  std::map<std::string, NodeId> owners;
  for (const auto& lease : view_.leases) {
    owners.emplace(lease.slot, lease.owner);
    // What was stopped begins again under another epoch only.
    if (lease.owner == id_ && !held_.contains(lease.slot)
        && (!wants(lease.slot) || was(ran_, lease.slot, lease.epoch)))
      back.push_back({lease.slot, lease.epoch});
  }
  if (!back.empty()) {
    actions_.emplace_back(AskRelease{id_, std::move(back)});
    return true;
  }
  std::vector<std::string> free;
  for (const auto& [slot, node] : placed_) {
    const auto owner = owners.find(slot);
    if (node == id_ && (owner == owners.end() || owner->second == nobody) && !held_.contains(slot))
      free.push_back(slot);
  }
  if (!free.empty()) {
    actions_.emplace_back(AskAcquire{id_, std::move(free)});
    return true;
  }
  if (!card_.draining || !held_.empty())
    return false;
  state_ = MemberState::leaving;
  actions_.emplace_back(AskLeave{id_});
  return true;
}

// By a view that was just read.
void Membership::run_slots() {
  std::map<std::string, std::uint64_t> ours;
  for (const auto& lease : view_.leases) {
    if (lease.owner == id_)
      ours.emplace(lease.slot, lease.epoch);
  }
  for (auto& [slot, held] : held_) {
    const auto own = ours.find(slot);
    if (own == ours.end() || own->second != held.epoch) {
      if (std::exchange(held.run, Run::killed) != Run::killed)
        actions_.emplace_back(KillSlot{slot});
    } else if (!wants(slot) && held.run == Run::running) {
      held.run = Run::stopping;
      actions_.emplace_back(StopSlot{slot});
    }
  }
  for (const auto& [slot, epoch] : ours) {
    if (wants(slot) && !held_.contains(slot) && !was(ended_, slot, epoch)
        && !was(ran_, slot, epoch)) {
      held_.emplace(slot, Held{Run::running, epoch});
      actions_.emplace_back(StartSlot{slot, epoch});
    }
  }
}

void Membership::trouble(const sdk::Error& error) {
  if (!std::exchange(unreachable_, true))
    actions_.emplace_back(Report{Report::What::unreachable, error});
}

void Membership::well() {
  if (std::exchange(unreachable_, false))
    actions_.emplace_back(Report{Report::What::reachable});
}

std::chrono::milliseconds Membership::pause() {
  std::uniform_int_distribution<std::int64_t> spread{options_.patience.count() / 2,
                                                     options_.patience.count()};
  return std::chrono::milliseconds{spread(random_)};
}

std::optional<sdk::Instant> Membership::next_tick() const {
  if (state_ == MemberState::gone)
    return std::nullopt;
  std::optional<sdk::Instant> next;
  const auto at = [&](sdk::Instant due) { next = next ? std::min(*next, due) : due; };
  if (id_ != nobody) {
    at(good_until_);
    if (!beating_)
      at(beat_at_);
  }
  // After an error something waits for its time.
  if (!asking_ && (state_ == MemberState::outside || card_stale_ || view_stale_))
    at(ask_at_);
  return next;
}

}  // namespace millrace::actors::cluster
