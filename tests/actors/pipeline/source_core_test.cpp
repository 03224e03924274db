#include "actors/pipeline/source_core.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

namespace millrace::actors {
namespace {

class Listener final : public sdk::SettleListener {
public:
  void on_settled(const std::shared_ptr<sdk::Receipt>& receipt) noexcept override {
    news.push_back(receipt);
  }

  std::deque<std::shared_ptr<sdk::Receipt>> news;
};

class SourceCoreTest : public testing::Test {
protected:
  explicit SourceCoreTest(bool answers = false) {
    SourceCore::Settings settings;
    settings.name = "in";
    settings.answers = answers;
    settings.batch_records = 4;
    core.emplace(settings, convictions, listener);
  }

  void take(const sdk::LanePtr& lane, std::size_t count) {
    sdk::Intake intake;
    intake.lane = lane;
    intake.bytes = count * 10;
    for (std::size_t i = 0; i < count; ++i) {
      auto& record = intake.records.emplace_back();
      record.position = positions[lane.get()]++;
      record.set(0, sdk::Value{static_cast<std::int64_t>(record.position)});
    }
    core->take(std::move(intake), actions);
  }

  // Ends a turn: what is to be sent goes on its way.
  void turn(bool stalled = false) {
    while (!listener->news.empty()) {
      const auto receipt = std::move(listener->news.front());
      listener->news.pop_front();
      core->on_settled(*receipt, actions);
    }
    core->send(stalled, actions);
    for (auto& outgoing : actions.send)
      under_way.push_back(std::move(outgoing.batch));
    actions.send.clear();
  }

  void whole(std::vector<std::string> crashed) {
    core->on_whole({std::move(crashed), false}, actions);
    turn();
  }

  static std::vector<std::int64_t> numbers(const sdk::Batch& batch) {
    std::vector<std::int64_t> result;
    for (const auto& record : batch.records())
      result.push_back(record.get(0).as_integer());
    return result;
  }

  sdk::LanePtr a = std::make_shared<sdk::Lane>("a");
  sdk::LanePtr b = std::make_shared<sdk::Lane>("b");
  std::map<const sdk::Lane*, std::uint64_t> positions;
  std::shared_ptr<Listener> listener = std::make_shared<Listener>();
  Convictions convictions;
  std::optional<SourceCore> core;
  SourceCore::Actions actions;
  std::deque<sdk::Batch> under_way;
};

using Numbers = std::vector<std::int64_t>;

TEST_F(SourceCoreTest, CutsAnIntakeIntoBatches) {
  take(a, 6);
  turn();
  ASSERT_EQ(under_way.size(), 2u);
  EXPECT_EQ(numbers(under_way[0]), (Numbers{0, 1, 2, 3}));
  EXPECT_EQ(numbers(under_way[1]), (Numbers{4, 5}));
}

TEST_F(SourceCoreTest, AdvancesOnlyOverWhatHasSettledFromTheFront) {
  take(a, 8);
  turn();
  under_way[1].settle(sdk::Outcome::delivered);
  turn();
  EXPECT_TRUE(actions.advanced.empty());
  EXPECT_EQ(actions.credit_records, 0u);
  under_way[0].settle(sdk::Outcome::filtered);
  turn();
  ASSERT_EQ(actions.advanced.size(), 1u);
  EXPECT_EQ(actions.advanced[0].position, 7u);
  EXPECT_EQ(actions.credit_records, 8u);
  EXPECT_EQ(actions.credit_bytes, 80u);
  EXPECT_EQ(core->open(), 0u);
}

TEST_F(SourceCoreTest, SendsALostLaneAgainFromWhatHasNotSettledOnceThePipelineIsWhole) {
  take(a, 8);
  take(b, 2);
  turn();
  under_way[0].settle(sdk::Outcome::delivered);
  auto kept = std::move(under_way[2]);
  under_way.clear();  // 4 to 7 of lane a are lost
  take(a, 2);
  turn();
  EXPECT_TRUE(actions.ask);
  EXPECT_TRUE(under_way.empty()) << "nothing of the lane is sent before the pipeline is whole";
  whole({"score"});
  ASSERT_EQ(under_way.size(), 2u);
  EXPECT_EQ(numbers(under_way[0]), (Numbers{4, 5, 6, 7}));
  EXPECT_EQ(numbers(under_way[1]), (Numbers{8, 9}));
  EXPECT_EQ(under_way[0].attempt(), 1u);
  EXPECT_FALSE(kept.stale()) << "the other lane goes on";
  kept.settle(sdk::Outcome::delivered);
}

TEST_F(SourceCoreTest, IgnoresSettlementsOfAnAttemptThatWasGivenUp) {
  take(a, 8);
  turn();
  auto late = std::move(under_way[0]);
  under_way.clear();
  turn();
  whole({"score"});
  late.settle(sdk::Outcome::delivered);
  turn();
  EXPECT_TRUE(actions.advanced.empty());
  EXPECT_EQ(core->open(), 8u);
}

TEST_F(SourceCoreTest, FindsTheGuiltyRecordBySendingOneAtATime) {
  take(a, 3);
  take(b, 1);
  turn();
  for (int deaths = 0; deaths < 2; ++deaths) {
    under_way.clear();
    turn();
    whole({"score"});
  }
  // Lanes are suspect now: a single record is under way in all.
  std::set<std::int64_t> alone;
  for (int i = 0; i < 10 && !convictions.any(); ++i) {
    ASSERT_EQ(under_way.size(), 1u);
    ASSERT_EQ(under_way[0].size(), 1u);
    const bool guilty = under_way[0].lane() == a && under_way[0][0].get(0).as_integer() == 1;
    if (guilty) {
      under_way.clear();
      turn();
      actions.convicted = false;
      whole({"score"});
      break;
    }
    under_way[0].settle(sdk::Outcome::delivered);
    under_way.clear();
    turn();
  }
  EXPECT_TRUE(actions.convicted);
  EXPECT_TRUE(convictions.find("score", a->id(), 1));
  ASSERT_EQ(under_way.size(), 1u);
  EXPECT_EQ(numbers(under_way[0]), Numbers{1});
  under_way[0].settle(sdk::Outcome::skipped);
  under_way.clear();
  turn();
  EXPECT_FALSE(convictions.any());
  while (!under_way.empty()) {
    for (auto& batch : under_way)
      batch.settle(sdk::Outcome::delivered);
    under_way.clear();
    turn();
  }
  EXPECT_EQ(core->open(), 0u);
  EXPECT_EQ(core->count(sdk::Outcome::delivered), 3u);
}

TEST_F(SourceCoreTest, SuspectsNobodyWhenAStepWasKilledFromOutside) {
  take(a, 2);
  turn();
  for (int kills = 0; kills < 5; ++kills) {
    under_way.clear();
    turn();
    core->on_whole({{}, true}, actions);
    turn();
    ASSERT_EQ(under_way.size(), 1u);
    EXPECT_EQ(under_way[0].size(), 2u);
  }
  under_way[0].settle(sdk::Outcome::delivered);
  turn();
  EXPECT_FALSE(convictions.any());
}

TEST_F(SourceCoreTest, FlushesOnceWhenItIsStalledAndSomethingIsUnderWay) {
  take(a, 2);
  turn(true);
  EXPECT_TRUE(actions.flush);
  actions.flush = false;
  turn(true);
  EXPECT_FALSE(actions.flush);
  under_way[0].settle(sdk::Outcome::delivered);
}

TEST_F(SourceCoreTest, StopsAtAFailedRecordAndDoesNotMovePastIt) {
  take(a, 2);
  turn();
  auto front = under_way[0].split(1);
  front.take_ack(0).fail(std::make_shared<sdk::FailureNote>(
    sdk::FailureNote{sdk::Error{sdk::ErrorKind::data, "bad"}, "score", false}));
  under_way[0].settle(sdk::Outcome::delivered);
  turn();
  ASSERT_TRUE(actions.stop);
  EXPECT_EQ(actions.stop->step, "score");
  EXPECT_TRUE(actions.advanced.empty());
  EXPECT_EQ(core->open(), 2u);
}

TEST_F(SourceCoreTest, SaysOfSeveralFailedRecordsWhatWasWrongWithTheFirst) {
  take(a, 2);
  turn();
  const char* const problems[] = {"first", "second"};
  for (std::size_t i = 0; i < 2; ++i)
    under_way[0].take_ack(i).fail(std::make_shared<sdk::FailureNote>(
      sdk::FailureNote{sdk::Error{sdk::ErrorKind::data, problems[i]}, "score", false}));
  turn();
  ASSERT_TRUE(actions.stop);
  EXPECT_EQ(actions.stop->error.message(), "first");
}

class AnsweringSourceCoreTest : public SourceCoreTest {
protected:
  AnsweringSourceCoreTest() : SourceCoreTest{true} {}
};

TEST_F(AnsweringSourceCoreTest, AnswersAFailedRecordAndGoesOn) {
  take(a, 1);
  turn();
  under_way[0].take_ack(0).fail(std::make_shared<sdk::FailureNote>(
    sdk::FailureNote{sdk::Error{sdk::ErrorKind::data, "bad"}, "score", false}));
  turn();
  EXPECT_FALSE(actions.stop);
  ASSERT_EQ(actions.answers.size(), 1u);
  EXPECT_EQ(actions.answers[0].outcome, sdk::Outcome::failed);
  EXPECT_EQ(actions.answers[0].value.find("message")->as_string(), "bad");
  EXPECT_EQ(core->open(), 0u);
}

// A pipeline made of chance: batches are split, settled, kept and lost; deaths are reported late.
// Whatever happens, each record comes to its end, first in the order of its lane.
class SourceCorePropertyTest : public SourceCoreTest {
protected:
  void run(std::uint32_t seed) {
    std::mt19937 random{seed};
    std::map<const sdk::Lane*, std::int64_t>
      next_new;  // first number of the lane never sent before
    std::size_t to_take = 5 + random() % 60;
    std::size_t total = 0;
    bool asked = false;
    const auto check = [&](const sdk::Batch& batch) {
      auto& next = next_new[batch.lane().get()];
      for (const auto number : numbers(batch)) {
        ASSERT_LE(number, next) << "a record was sent before the one in front of it";
        next = std::max(next, number + 1);
      }
    };
    for (int step = 0; step < 20'000; ++step) {
      if (to_take > 0 && random() % 4 == 0) {
        const auto count = std::min<std::size_t>(to_take, 1 + random() % 9);
        take(random() % 2 == 0 ? a : b, count);
        to_take -= count;
        total += count;
      }
      const auto before = under_way.size();
      turn(to_take == 0);
      for (auto i = before; i < under_way.size(); ++i)
        check(under_way[i]);
      asked = asked || actions.ask;
      actions = {};
      if (asked && random() % 3 == 0) {
        asked = false;
        const bool crashed = random() % 10 == 0;
        core->on_whole(
          {crashed ? std::vector<std::string>{"score"} : std::vector<std::string>{}, !crashed},
          actions);
        continue;
      }
      if (under_way.empty()) {
        if (to_take == 0 && core->open() == 0 && !asked)
          break;
        continue;
      }
      const auto pick = static_cast<std::ptrdiff_t>(random() % under_way.size());
      auto batch = std::move(under_way[static_cast<std::size_t>(pick)]);
      under_way.erase(under_way.begin() + pick);
      const auto chance = random() % 20;
      if (batch.stale() || chance == 0)
        continue;  // dropped, or its holder died
      if (chance < 5 && batch.size() > 1) {
        under_way.push_back(batch.split(batch.size() / 2));
        under_way.push_back(std::move(batch));
      } else {
        batch.settle(static_cast<sdk::Outcome>(random() % 4));
      }
    }
    EXPECT_EQ(core->open(), 0u);
    std::uint64_t settled = 0;
    for (int outcome = 0; outcome < 4; ++outcome)
      settled += core->count(static_cast<sdk::Outcome>(outcome));
    EXPECT_EQ(settled, total);
    EXPECT_FALSE(convictions.any());
  }
};

TEST_F(SourceCorePropertyTest, BringsEveryRecordToItsEndWhateverIsLost) {
  const auto first = std::random_device{}();
  for (std::uint32_t round = 0; round < 2'000 && !HasFailure(); ++round) {
    SCOPED_TRACE("seed " + std::to_string(first + round));
    under_way.clear();
    listener = std::make_shared<Listener>();
    a = std::make_shared<sdk::Lane>("a");
    b = std::make_shared<sdk::Lane>("b");
    positions.clear();
    actions = {};
    SourceCore::Settings settings;
    settings.name = "in";
    settings.batch_records = 4;
    core.emplace(settings, convictions, listener);
    run(first + round);
  }
}

}  // namespace
}  // namespace millrace::actors
