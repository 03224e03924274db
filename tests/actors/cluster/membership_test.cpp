// Who runs what while nodes crash, sleep and lose sight of the coordination server.
#include "tests/actors/cluster/simulated_cluster.hpp"

#include <gtest/gtest.h>

namespace millrace::actors::cluster {
namespace {

using namespace std::chrono_literals;

std::vector<NodeCard> cards(std::size_t count, const std::vector<Offer>& offers) {
  std::vector<NodeCard> made(count);
  const auto shared = make_offers(offers);
  for (std::size_t i = 0; i < count; ++i) {
    made[i].name = "n" + std::to_string(i);
    made[i].offers = shared;
  }
  return made;
}

std::size_t only_runner(const SimulatedCluster& cluster, const std::string& slot) {
  const auto found = cluster.runners(slot);
  EXPECT_EQ(found.size(), 1U) << slot;
  return found.empty() ? 0 : found.front();
}

TEST(MembershipTest, RunsEachSlotOnOneNode) {
  SimulatedCluster cluster{1, cards(3, {{"a"}, {"b"}, {"c"}})};
  cluster.run_for(2s);
  std::set<std::size_t> nodes;
  for (const auto* slot : {"a/0", "b/0", "c/0"})
    nodes.insert(only_runner(cluster, slot));
  EXPECT_EQ(nodes.size(), 3U);
  EXPECT_EQ(cluster.violations(), std::vector<std::string>{});
}

TEST(MembershipTest, TakesOverWithinTheLeaseAndTwoSeconds) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SimulatedCluster cluster{seed, cards(3, {{"a"}})};
    cluster.run_for(std::chrono::milliseconds{5'000 + seed * 100});
    const auto owner = only_runner(cluster, "a/0");
    cluster.crash(owner);
    cluster.run_for(12s);
    EXPECT_NE(only_runner(cluster, "a/0"), owner) << "seed " << seed;
    EXPECT_EQ(cluster.violations(), std::vector<std::string>{});
  }
}

TEST(MembershipTest, MovesAtOnceWhereANodeDrains) {
  SimulatedCluster cluster{2, cards(2, {{"a"}, {"b"}, {"c"}})};
  cluster.run_for(5s);
  cluster.drain(0);
  cluster.run_for(6s);
  for (const auto* slot : {"a/0", "b/0", "c/0"})
    EXPECT_EQ(only_runner(cluster, slot), 1U);
  EXPECT_EQ(cluster.membership(0)->state(), MemberState::gone);
  EXPECT_EQ(cluster.violations(), std::vector<std::string>{});
}

TEST(MembershipTest, GoesOnForAsLongAsItSafelyMayWithoutTheServer) {
  SimulatedCluster cluster{3, cards(1, {{"a"}})};
  cluster.run_for(5s);
  cluster.server_down(true);
  cluster.run_for(6s);
  EXPECT_TRUE(cluster.runs(0, "a/0"));
  cluster.run_for(4s);
  EXPECT_FALSE(cluster.runs(0, "a/0"));
  cluster.server_down(false);
  cluster.run_for(3s);
  EXPECT_TRUE(cluster.runs(0, "a/0")) << "it heals by itself";
}

TEST(MembershipTest, StopsWhatIsAskedForElsewhereBeforeThatStarts) {
  SimulatedCluster cluster{4, cards(2, {{"a"}})};
  cluster.run_for(5s);
  const auto owner = only_runner(cluster, "a/0");
  cluster.server().want("a/0", owner == 0 ? "n1" : "n0");
  cluster.run_for(8s);
  EXPECT_NE(only_runner(cluster, "a/0"), owner);
  EXPECT_EQ(cluster.violations(), std::vector<std::string>{});
}

TEST(MembershipTest, LeavesAloneWhatHasEndedByItself) {
  SimulatedCluster cluster{5, cards(2, {{"a"}})};
  cluster.run_for(5s);
  cluster.finish(only_runner(cluster, "a/0"), "a/0");
  cluster.run_for(20s);
  EXPECT_TRUE(cluster.runners("a/0").empty());
}

TEST(MembershipTest, WaitsWhileAnotherProcessHasItsName) {
  auto both = cards(2, {{"a"}});
  both[1].name = both[0].name;
  SimulatedCluster cluster{6, both};
  cluster.run_for(30s);
  EXPECT_EQ(cluster.runners("a/0").size(), 1U);
  const auto owner = only_runner(cluster, "a/0");
  EXPECT_EQ(cluster.membership(1 - owner)->id(), nobody);
  cluster.crash(owner);
  cluster.run_for(14s);
  EXPECT_EQ(only_runner(cluster, "a/0"), 1 - owner);
}

TEST(MembershipTest, ANodeThatSleptThroughItsLeaseStartsNothingFromBefore) {
  SimulatedCluster cluster{7, cards(2, {{"a"}})};
  cluster.run_for(5s);
  const auto owner = only_runner(cluster, "a/0");
  cluster.freeze(owner, 30s);
  cluster.run_for(35s);
  EXPECT_EQ(only_runner(cluster, "a/0"), 1 - owner);
  EXPECT_EQ(cluster.violations(), std::vector<std::string>{});
}

// Nodes crash, sleep and are cut off, the server goes away, messages are lost and late, for ten
// minutes; then all is well again.
std::vector<std::string> storm(std::uint64_t seed, MembershipOptions options = {}) {
  std::mt19937_64 random{seed};
  const auto below = [&](int most) { return std::uniform_int_distribution{0, most - 1}(random); };
  const std::vector<Offer> offers{{"a"}, {"b"}, {"c"}, {"wide", 3}, {"d"}};
  SimulatedCluster cluster{seed, cards(3 + seed % 3, offers), options};
  cluster.weather({.delay = 50ms, .slow_percent = below(20), .lost_percent = below(20)});
  for (int fault = 0; fault < 200; ++fault) {
    const auto node = static_cast<std::size_t>(below(static_cast<int>(cluster.size())));
    switch (below(9)) {
    case 0:
      cluster.crash(node);
      break;
    case 1:
    case 2:
      cluster.restart(node);
      break;
    case 3:
      cluster.freeze(node, std::chrono::milliseconds{below(25'000)});
      break;
    case 4:
      cluster.cut(node, below(2) == 0, below(2) == 0);
      break;
    case 5:
    case 6:
      cluster.cut(node, false, false);
      break;
    case 7:
      cluster.server_down(below(3) == 0);
      break;
    default:
      cluster.server().want(offers[static_cast<std::size_t>(below(5))].pipeline + "/0",
                            "n" + std::to_string(below(5)));
    }
    cluster.run_for(std::chrono::milliseconds{below(6'000)});
  }
  cluster.weather({});
  cluster.server_down(false);
  for (std::size_t node = 0; node < cluster.size(); ++node) {
    cluster.cut(node, false, false);
    cluster.restart(node);
  }
  cluster.run_for(60s);
  for (const auto* slot : {"a/0", "b/0", "c/0", "d/0", "wide/0", "wide/1", "wide/2"})
    EXPECT_EQ(cluster.runners(slot).size(), 1U) << slot << ", seed " << seed;
  return cluster.violations();
}

TEST(MembershipTest, NeverRunsASlotTwiceWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed)
    EXPECT_EQ(storm(seed), std::vector<std::string>{}) << "seed " << seed;
  const std::uint64_t seed = std::random_device{}();
  EXPECT_EQ(storm(seed), std::vector<std::string>{}) << "seed " << seed;
}

TEST(MembershipTest, AStormFindsNodesThatStopTooLate) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed)
    found += storm(seed, {.margin = -3s}).size();
  EXPECT_GT(found, 0U);
}

TEST(MembershipTest, ManyNodesAskTheServerLittle) {
  std::vector<Offer> offers;
  for (int i = 0; i < 100; ++i)
    offers.push_back({"p" + std::to_string(i)});
  SimulatedCluster cluster{8, cards(30, offers)};
  cluster.run_for(60s);
  const auto before = cluster.statements();
  cluster.run_for(60s);
  const auto per_second = static_cast<double>(cluster.statements() - before) / 60;
  RecordProperty("statements_per_second", std::to_string(per_second));
  EXPECT_LT(per_second, 15) << "a beat of each in 2.5 s";
}

}  // namespace
}  // namespace millrace::actors::cluster
