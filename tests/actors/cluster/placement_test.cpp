// Which node runs what.
#include "actors/cluster/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace millrace::actors::cluster {
namespace {

Node node(NodeId id, std::string name, std::vector<Offer> offers) {
  Node made;
  made.id = id;
  made.card.name = std::move(name);
  made.card.offers = make_offers(std::move(offers));
  return made;
}

std::map<NodeId, int> loads(const std::map<std::string, NodeId>& placed) {
  std::map<NodeId, int> found;
  for (const auto& [slot, node] : placed)
    ++found[node];
  return found;
}

// As if everybody had taken what it is to have.
void settle(View& view) {
  std::map<std::string, std::string> wanted;
  for (const auto& lease : view.leases)
    wanted[lease.slot] = lease.wanted;
  const auto placed = place(view);
  view.leases.clear();
  for (const auto& [slot, owner] : placed)
    view.leases.push_back({slot, owner, 1, wanted[slot]});
}

TEST(PlacementTest, GivesEachSlotToANodeThatOffersIt) {
  View view;
  view.nodes = {node(1, "a", {{"nightly"}}), node(2, "b", {{"nightly"}, {"hourly"}})};
  const auto placed = place(view);
  EXPECT_EQ(placed.size(), 2U);
  EXPECT_EQ(placed.at("hourly/0"), 2);
  EXPECT_EQ(placed.at("nightly/0"), 1) << "it has less to do";
}

TEST(PlacementTest, LeavesOutWhatNobodyCanRun) {
  View view;
  view.nodes = {node(1, "a", {})};
  view.leases = {{"gone/0", 1, 7, ""}};
  EXPECT_TRUE(place(view).empty());
}

TEST(PlacementTest, LeavesWhatRunsWhereItIs) {
  View view;
  view.nodes = {node(1, "a", {{"x"}, {"y"}}), node(2, "b", {{"x"}, {"y"}})};
  view.leases = {{"x/0", 2, 1, ""}, {"y/0", 1, 1, ""}};
  const auto placed = place(view);
  EXPECT_EQ(placed.at("x/0"), 2);
  EXPECT_EQ(placed.at("y/0"), 1);
}

TEST(PlacementTest, TakesNothingToANodeThatDrains) {
  View view;
  view.nodes = {node(1, "a", {{"x"}}), node(2, "b", {{"x"}})};
  view.nodes[0].card.draining = true;
  view.leases = {{"x/0", 1, 1, ""}};
  EXPECT_EQ(place(view).at("x/0"), 2);
}

TEST(PlacementTest, FollowsWhatAPersonAskedFor) {
  View view;
  view.nodes = {node(1, "a", {{"x"}, {"y"}, {"z"}}), node(2, "b", {{"x"}, {"y"}, {"z"}})};
  view.leases = {{"x/0", 1, 1, "b"}, {"y/0", 2, 1, "b"}, {"z/0", 2, 1, "b"}};
  const auto placed = place(view);
  EXPECT_EQ(placed.at("x/0"), 2);
  EXPECT_EQ(placed.at("y/0"), 2);
  EXPECT_EQ(placed.at("z/0"), 2) << "however uneven that is";
}

TEST(PlacementTest, ForgetsAWishThatCannotBe) {
  View view;
  view.nodes = {node(1, "a", {{"x"}})};
  view.leases = {{"x/0", 1, 1, "b"}};
  EXPECT_EQ(place(view).at("x/0"), 1);
}

TEST(PlacementTest, KeepsReplicasApart) {
  View view;
  for (NodeId id = 1; id <= 3; ++id)
    view.nodes.push_back(node(id, "n" + std::to_string(id), {{"wide", 3}}));
  view.leases = {{"wide/0", 1, 1, ""}, {"wide/1", 1, 1, ""}, {"wide/2", 1, 1, ""}};
  const auto placed = place(view);
  EXPECT_EQ(loads(placed), (std::map<NodeId, int>{{1, 1}, {2, 1}, {3, 1}}));
}

TEST(PlacementTest, RunsMoreReplicasThanNodes) {
  View view;
  view.nodes = {node(1, "a", {{"wide", 5}}), node(2, "b", {{"wide", 5}})};
  const auto found = loads(place(view));
  EXPECT_EQ(found.at(1) + found.at(2), 5);
  EXPECT_LE(std::abs(found.at(1) - found.at(2)), 1);
}

TEST(PlacementTest, SharesWithANodeThatJoinsAndMovesNoMoreThanThat) {
  std::vector<Offer> offers;
  for (int i = 0; i < 30; ++i)
    offers.push_back({"p" + std::to_string(i)});
  View view;
  view.nodes = {node(1, "a", offers), node(2, "b", offers)};
  settle(view);
  const auto before = place(view);
  view.nodes.push_back(node(3, "c", offers));
  const auto after = place(view);
  EXPECT_EQ(loads(after), (std::map<NodeId, int>{{1, 10}, {2, 10}, {3, 10}}));
  int moved = 0;
  for (const auto& [slot, owner] : after)
    moved += before.at(slot) == owner ? 0 : 1;
  EXPECT_EQ(moved, 10);
}

TEST(PlacementTest, SettlesWhateverItFinds) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  const auto below = [&](int most) { return std::uniform_int_distribution{0, most - 1}(random); };
  for (int round = 0; round < 200; ++round) {
    View view;
    const int pipelines = 1 + below(20);
    for (NodeId id = 1; id <= 1 + below(6); ++id) {
      std::vector<Offer> offers;
      for (int i = 0; i < pipelines; ++i) {
        if (below(4) > 0)
          offers.push_back({"p" + std::to_string(i), static_cast<std::uint32_t>(1 + below(4))});
      }
      view.nodes.push_back(node(id, "n" + std::to_string(id), offers));
      view.nodes.back().card.draining = below(5) == 0;
    }
    for (int i = 0; i < pipelines; ++i)
      view.leases.push_back({"p" + std::to_string(i) + "/0", below(8), 1,
                             below(6) == 0 ? "n" + std::to_string(1 + below(7)) : ""});
    const auto first = place(view);

    // The same on every node, in whatever order the server lists things.
    auto shuffled = view;
    std::ranges::shuffle(shuffled.nodes, random);
    std::ranges::shuffle(shuffled.leases, random);
    EXPECT_EQ(place(shuffled), first);

    // Each slot that somebody can run is placed with one who can.
    std::map<std::string, std::set<NodeId>> able;
    for (const auto& each : view.nodes) {
      for (const auto& offer : *each.card.offers) {
        for (std::uint32_t replica = 0; replica < offer.replicas && !each.card.draining; ++replica)
          able[slot_name(offer.pipeline, replica)].insert(each.id);
      }
    }
    EXPECT_EQ(first.size(), able.size());
    for (const auto& [slot, owner] : first)
      EXPECT_TRUE(able[slot].contains(owner)) << slot;

    // Once everybody has what it is to have nothing moves any more.
    settle(view);
    EXPECT_EQ(place(view), first);
  }
}

}  // namespace
}  // namespace millrace::actors::cluster
