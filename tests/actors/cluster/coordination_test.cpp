// The rules of a cluster as the coordination server keeps them.
#include "actors/cluster/coordination.hpp"
#include "tests/actors/cluster/coordination_fixture.hpp"

#include <gmock/gmock.h>

namespace millrace::actors::cluster {
namespace {

using namespace std::chrono_literals;

class CoordinationTest : public CoordinationFixture {
protected:
  void prepare() override {
    CoordinationFixture::prepare();
    const auto made = status([&](auto done) { of("p").prepare(done); });
    ASSERT_TRUE(made) << made.error().to_string();
  }

  Coordination of(std::string process, std::chrono::milliseconds lease = 1h) {
    return Coordination{pool_->handle(), "c", std::move(process), lease};
  }

  static NodeCard card(std::string name) {
    NodeCard made;
    made.name = std::move(name);
    made.address = "10.0.0.1:7000";
    made.labels = {{"zone", "inner"}};
    made.version = "1.2.3";
    made.offers = make_offers({{"nightly"}, {"wide", 3}});
    return made;
  }

  template <class Ask>
  static sdk::Status status(Ask ask) {
    Awaited<sdk::Status> got;
    ask(got.callback());
    return got.get();
  }

  NodeId join(const std::string& name, const std::string& process = "p", std::uint64_t attempt = 1,
              std::chrono::milliseconds lease = 1h) {
    Awaited<sdk::Result<NodeId>> got;
    of(process, lease).join(card(name), attempt, got.callback());
    const auto id = got.get();
    EXPECT_TRUE(id) << id.error().to_string();
    return id ? *id : nobody;
  }

  BeatReply beat(NodeId id, std::chrono::milliseconds lease = 1h) {
    Awaited<sdk::Result<BeatReply>> got;
    of("p", lease).beat(id, got.callback());
    const auto reply = got.get();
    EXPECT_TRUE(reply) << reply.error().to_string();
    return reply ? *reply : BeatReply{};
  }

  View view() {
    Awaited<sdk::Result<View>> got;
    of("p").view(got.callback());
    const auto found = got.get();
    EXPECT_TRUE(found) << found.error().to_string();
    return found ? *found : View{};
  }

  Lease lease(const std::string& slot) {
    for (const auto& entry : view().leases) {
      if (entry.slot == slot)
        return entry;
    }
    return {};
  }

  void acquire(NodeId id, const std::vector<std::string>& slots) {
    const auto got = status([&](auto done) { of("p").acquire(id, slots, done); });
    EXPECT_TRUE(got) << got.error().to_string();
  }

  /// As if the node had been silent for so long.
  void expire(NodeId id) {
    ASSERT_TRUE(pool_->run(
      "UPDATE millrace_nodes SET expires = clock_timestamp() - interval '1 ms' WHERE id = $1",
      {id}));
  }
};

TEST_F(CoordinationTest, MakesItsTablesOnceHoweverManyAsk) {
  ASSERT_TRUE(pool_->run("DROP TABLE millrace_leases"));
  std::vector<Awaited<sdk::Status>> made(8);
  for (auto& each : made)
    of("p").prepare(each.callback());
  for (auto& each : made) {
    const auto got = each.get();
    EXPECT_TRUE(got) << got.error().to_string();
  }
}

TEST_F(CoordinationTest, ANodeIsSeenAsItSaysItIs) {
  const auto id = join("a");
  const auto seen = view();
  ASSERT_EQ(seen.nodes.size(), 1U);
  EXPECT_EQ(seen.nodes[0].id, id);
  const auto& found = seen.nodes[0].card;
  EXPECT_EQ(found.name, "a");
  EXPECT_EQ(found.address, "10.0.0.1:7000");
  EXPECT_EQ(found.labels.at("zone"), "inner");
  EXPECT_EQ(found.version, "1.2.3");
  EXPECT_THAT(*found.offers, testing::UnorderedElementsAre(Offer{"nightly"}, Offer{"wide", 3}));
  EXPECT_FALSE(found.draining);
}

TEST_F(CoordinationTest, ANameBelongsToOneProcessThatLives) {
  const auto first = join("a", "one");
  EXPECT_EQ(join("a", "two"), nobody);
  EXPECT_TRUE(beat(first).alive);
  expire(first);
  const auto second = join("a", "two");
  EXPECT_GT(second, first);
  EXPECT_FALSE(beat(first).alive);
}

TEST_F(CoordinationTest, ALaterTryOfAProcessReplacesTheEarlierAndNotTheOtherWayRound) {
  const auto first = join("a", "one", 1);
  const auto second = join("a", "one", 2);
  EXPECT_NE(second, nobody);
  EXPECT_FALSE(beat(first).alive);
  EXPECT_EQ(join("a", "one", 1), nobody);
  EXPECT_TRUE(beat(second).alive);
}

TEST_F(CoordinationTest, ABeatForgetsWhoIsSilentAndFreesWhatItHad) {
  const auto first = join("a");
  const auto second = join("b");
  acquire(first, {"nightly/0"});
  EXPECT_EQ(lease("nightly/0").owner, first);
  const auto before = beat(second);
  ASSERT_TRUE(before.next_death);
  EXPECT_GT(*before.next_death, 50min);
  expire(first);
  const auto after = beat(second);
  EXPECT_GT(after.revision, before.revision);
  EXPECT_FALSE(after.next_death);
  EXPECT_EQ(lease("nightly/0").owner, nobody);
  EXPECT_EQ(lease("nightly/0").epoch, 1U) << "it rises with the next owner";
  EXPECT_EQ(view().nodes.size(), 1U);
}

TEST_F(CoordinationTest, ANodeWhoseTimeIsOverCannotBeatItselfBackToLife) {
  const auto id = join("a");
  expire(id);
  EXPECT_FALSE(beat(id).alive);
  EXPECT_FALSE(beat(id).alive);
}

// The server was slow to commit the beat of a node which was due: whoever looks at it meanwhile
// must see that it lives.
TEST_F(CoordinationTest, ABeatThatIsBeingCommittedIsNotOverlooked) {
  const auto slow = join("a");
  const auto other = join("b");
  acquire(slow, {"nightly/0"});
  expire(slow);
  const auto session = pool_->begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(run(*session,
                  "UPDATE millrace_nodes SET expires = clock_timestamp() + "
                  "interval '1 hour' WHERE id = $1",
                  {slow}));
  beat(other);
  ASSERT_TRUE(commit(*session));
  beat(other);
  EXPECT_EQ(lease("nightly/0").owner, slow);
  EXPECT_TRUE(beat(slow).alive);
}

TEST_F(CoordinationTest, AnOwnerIsReplacedByNobodyAndEpochsRise) {
  const auto first = join("a");
  const auto second = join("b");
  acquire(first, {"nightly/0", "wide/1"});
  acquire(second, {"wide/1", "wide/0"});
  EXPECT_EQ(lease("wide/1").owner, first);
  EXPECT_EQ(lease("wide/0").owner, second);
  EXPECT_TRUE(status([&](auto done) { of("p").release(first, {{"wide/1", 1}}, done); }));
  acquire(second, {"wide/1"});
  EXPECT_EQ(lease("wide/1").owner, second);
  EXPECT_EQ(lease("wide/1").epoch, 2U);
}

TEST_F(CoordinationTest, AReleaseThatComesLateFreesNothing) {
  const auto id = join("a");
  acquire(id, {"nightly/0"});
  EXPECT_TRUE(status([&](auto done) { of("p").release(id, {{"nightly/0", 1}}, done); }));
  acquire(id, {"nightly/0"});
  EXPECT_TRUE(status([&](auto done) { of("p").release(id, {{"nightly/0", 1}}, done); }));
  EXPECT_EQ(lease("nightly/0").owner, id);
  EXPECT_EQ(lease("nightly/0").epoch, 2U);
}

TEST_F(CoordinationTest, WhoIsForgottenAcquiresNothing) {
  const auto id = join("a");
  EXPECT_TRUE(status([&](auto done) { of("p").leave(id, done); }));
  EXPECT_FALSE(status([&](auto done) { of("p").acquire(id, {"nightly/0"}, done); }));
  EXPECT_EQ(lease("nightly/0").owner, nobody);
}

TEST_F(CoordinationTest, ACardOfAnOlderVersionChangesNothing) {
  const auto id = join("a");
  auto changed = card("a");
  changed.draining = true;
  EXPECT_TRUE(status([&](auto done) { of("p").tell(id, 2, changed, done); }));
  EXPECT_TRUE(status([&](auto done) { of("p").tell(id, 1, card("a"), done); }));
  EXPECT_TRUE(view().nodes[0].card.draining);
}

TEST_F(CoordinationTest, APersonsWishHoldsForAllReplicas) {
  const auto id = join("a");
  acquire(id, {"wide/0", "wide/1"});
  EXPECT_TRUE(status([&](auto done) { of("p").want("wide", "b", done); }));
  EXPECT_TRUE(status([&](auto done) { of("p").want("nightly", "a", done); }));
  EXPECT_EQ(lease("wide/1").wanted, "b");
  EXPECT_EQ(lease("nightly/0").wanted, "a");
  EXPECT_EQ(lease("nightly/0").owner, nobody);
}

// Many nodes at once, some of which are being forgotten: nobody waits for long, nobody owns what
// another has.
TEST_F(CoordinationTest, ManyNodesAtOnceAgree) {
  std::vector<NodeId> ids;
  std::vector<std::string> slots;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(join("n" + std::to_string(i)));
    slots.push_back("wide/" + std::to_string(i));
  }
  for (int round = 0; round < 20; ++round) {
    std::vector<Awaited<sdk::Status>> got(ids.size());
    std::vector<Awaited<sdk::Result<BeatReply>>> beaten(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      of("p").acquire(ids[i], slots, got[i].callback());
      of("p").beat(ids[i], beaten[i].callback());
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
      EXPECT_TRUE(got[i].get());
      EXPECT_TRUE(beaten[i].get());
    }
    for (const auto& entry : view().leases) {
      EXPECT_NE(entry.owner, nobody);
      EXPECT_EQ(entry.epoch, static_cast<std::uint64_t>(round) + 1);
      EXPECT_TRUE(status([&](auto done) {
        of("p").release(entry.owner, {{entry.slot, entry.epoch}}, done);
      }));
    }
  }
}

}  // namespace
}  // namespace millrace::actors::cluster
