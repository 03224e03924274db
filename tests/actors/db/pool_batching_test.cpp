// How a pool joins what waits, and what it does when a group fails or is lost; without a server.
#include "tests/actors/db/pool_core_fixture.hpp"

#include <array>

namespace millrace::actors::db {
namespace {

using namespace std::chrono_literals;

class FakeInspector final : public sdk::StatementInspector {
public:
  sdk::Statement inspection(const std::vector<std::string>&,
                            const std::vector<std::string>&) const override {
    return {.sql = "INSPECT"};
  }

  sdk::Inspection read(const sdk::SqlResult&) const override { return found; }

  sdk::Inspection found{.parameters = {{.type = 23, .name = "integer"}}};
};

class PoolBatchingTest : public PoolCoreTest {
protected:
  static constexpr auto find = "SELECT a FROM t WHERE id = $1";
  static constexpr auto change = "UPDATE t SET a = 1 WHERE id = $1";

  void SetUp() override {
    PoolLimits limits{
      .pool = {.max_size = 4, .pre_ping = false}, .connections = 4, .lane = 1, .server = "test"};
    limits.inspector = &inspector_;
    limits.batching = true;
    limits.use_sql = {std::vector<std::string>{"USE ALONE"}, {"USE READS"}, {"USE WRITES"}};
    core_.emplace(std::move(limits), 7);
    core_->start(now_);
    collect();
    connect(1);
  }

  using Reply = std::shared_ptr<std::optional<ExecuteReply>>;

  Reply ask(const std::string& sql, int value = 1, std::uint64_t key = 0, int sets = 1) {
    auto reply = std::make_shared<std::optional<ExecuteReply>>();
    sdk::Statement statement{.sql = sql, .sets = {}};
    for (int i = 0; i < sets; ++i)
      statement.sets.push_back({sdk::Value{value + i}});
    statement.options.order_key = key;
    core_->submit(
      std::make_shared<Request>(std::vector<sdk::Statement>{std::move(statement)}, false,
                                [reply](ExecuteReply answer) { *reply = std::move(answer); }),
      now_);
    collect();
    return reply;
  }

  /// What was sent, but for what makes a connection fit for its use.
  std::vector<Sent> take_sent() {
    std::vector<Sent> taken;
    for (auto& sent : std::exchange(sent_, {})) {
      if (sent.entry.id == sdk::silent_entry)
        uses_.push_back(sent.entry.statement->sql);
      else
        taken.push_back(sent);
    }
    return taken;
  }

  void reply(const std::vector<Sent>& sent, const std::optional<sdk::Error>& error = std::nullopt) {
    if (sent.empty())
      return;
    std::vector<ItemAnswer> answers;
    for (const auto& one : sent) {
      if (error)
        answers.push_back({.id = one.entry.id, .result = *error});
      else
        answers.push_back({.id = one.entry.id,
                           .result = sdk::SqlResult{},
                           .members = std::vector<sdk::SqlResult>(one.entry.members.size())});
    }
    core_->answered(sent.front().connection, std::move(answers), now_);
    collect();
  }

  /// The catalog is asked, and allows it; its cost with a Sync each is known.
  void learn(const std::string& sql) {
    for (int i = 0; i < 6; ++i) {
      ask(sql, 1, 0, 16);
      for (auto sent = take_sent(); !sent.empty(); sent = take_sent()) {
        if (!sent.front().entry.form)
          now_ += 1ms;
        reply(sent);
      }
    }
  }

  static sdk::Error refused(std::string code = "23505") {
    return {sdk::ErrorKind::execution, "no", {.code = std::move(code)}};
  }

  FakeInspector inspector_;
  std::vector<std::string> uses_;
};

TEST_F(PoolBatchingTest, HoldsTheFirstOfAKindUntilTheCatalogHasAnswered) {
  const auto first = ask(find);
  const auto second = ask(find);
  const auto asked = take_sent();
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0].entry.statement->sql, "INSPECT");
  EXPECT_EQ(asked[0].entry.about->sql, find);

  reply(asked);
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].entry.members.size(), 2U);
  EXPECT_EQ(uses_, std::vector<std::string>{"USE READS"});
  reply(sent);
  EXPECT_TRUE(*first && *second);
}

TEST_F(PoolBatchingTest, RunsAloneWhatTheCatalogRefuses) {
  inspector_.found.lane_refusal = "it calls f, which is volatile";
  ask(find);
  ask(find);
  reply(take_sent());
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1U) << "one at a time";
  EXPECT_TRUE(uses_.empty()) << "as the connection was made";
  EXPECT_FALSE(opened_.empty());
}

TEST_F(PoolBatchingTest, RunsManySetsAsOneStatement) {
  learn(find);
  const auto first = ask(find, 0, 0, 40);
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 2U) << "two groups, so that neither side waits";
  ASSERT_TRUE(sent[0].entry.form);
  EXPECT_EQ(sent[0].entry.members.size(), 20U);
  EXPECT_EQ(sent[0].entry.members[3].set, 3U);
  reply(sent);
  ASSERT_TRUE(*first);
  EXPECT_EQ((*first)->results.size(), 40U);
}

TEST_F(PoolBatchingTest, JoinsCallersThatKnowNothingOfEachOther) {
  learn(find);
  ask(find, 0, 0, 2);
  ask(find, 0, 0, 2);
  const auto busy = take_sent();
  std::vector<Reply> replies;
  for (int i = 0; i < 10; ++i)
    replies.push_back(ask(find, i));
  EXPECT_TRUE(take_sent().empty()) << "two groups are under way";
  reply({busy[0]});
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(sent[0].entry.members.size(), 10U);
  reply(sent);
  for (const auto& one : replies)
    EXPECT_TRUE(*one);
}

TEST_F(PoolBatchingTest, RunsEachMemberOfAFailedGroupAgain) {
  learn(find);
  const auto asked = ask(find, 0, 0, 12);
  reply(take_sent(), refused());
  EXPECT_FALSE(*asked);
  auto again = take_sent();
  ASSERT_EQ(again.size(), 12U);
  EXPECT_FALSE(again[0].entry.form);
  EXPECT_TRUE(again[0].entry.sync);
  const auto guilty = again[4];
  again.erase(again.begin() + 4);
  reply({guilty}, refused());
  reply(again);
  ASSERT_TRUE(*asked);
  EXPECT_FALSE((*asked)->results[4]);
  EXPECT_EQ((*asked)->results[4].error().attempts(), 1U);
  EXPECT_TRUE((*asked)->results[5]);
}

TEST_F(PoolBatchingTest, HalvesALargeGroupThatFailed) {
  learn(find);
  ask(find, 0, 0, 32);
  auto sent = take_sent();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0].entry.members.size(), 16U);
  reply({sent[1]});
  reply({sent[0]}, refused());
  EXPECT_EQ(take_sent().size(), 16U) << "of sixteen each is worth its own";
}

TEST_F(PoolBatchingTest, SharesASyncBetweenWritesThatHaveNoSetForm) {
  learn(change);
  ask(change, 0, 0, 6);
  const auto sent = take_sent();
  ASSERT_EQ(sent.size(), 6U);
  EXPECT_FALSE(sent[0].entry.sync);
  EXPECT_TRUE(sent[5].entry.sync);
  EXPECT_EQ(uses_.back(), "USE WRITES");
}

TEST_F(PoolBatchingTest, SendsNothingOfAnOrderKeyBehindAGroupThatMayRunAgain) {
  learn(change);
  const auto first = ask(change, 0, 5, 4);
  const auto group = take_sent();
  ASSERT_EQ(group.size(), 4U);
  ask(change, 9, 5);
  EXPECT_TRUE(take_sent().empty());
  reply(group, refused());
  const auto again = take_sent();
  ASSERT_EQ(again.size(), 5U);
  const auto& last = again[4].entry;
  EXPECT_EQ(last.statement->sets[last.set][0].as_integer(), 9) << "the younger one stays behind";
  reply(again);
  EXPECT_TRUE(*first);
}

TEST_F(PoolBatchingTest, MovesWhatIsTooSlowForTheLaneAndRemembersIt) {
  learn(find);
  const auto asked = ask(find);
  reply(take_sent(), sdk::Error{sdk::ErrorKind::timeout, "slow", {.code = "57014"}});
  EXPECT_FALSE(*asked);
  auto sent = take_sent();
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_EQ(uses_.back(), "USE ALONE");
  reply(sent, sdk::Error{sdk::ErrorKind::timeout, "slow", {.code = "57014"}});
  ASSERT_TRUE(*asked) << "there it is the caller's own limit";
  EXPECT_FALSE((*asked)->results[0]);
  uses_.clear();
  ask(find);
  EXPECT_EQ(take_sent().size(), 1U);
  EXPECT_TRUE(uses_.empty()) << "it starts alone";
}

TEST_F(PoolBatchingTest, AsksAgainForReadsThatWereLostAndNeverForWrites) {
  learn(find);
  const auto read = ask(find, 0, 0, 4);
  lose(1, false, {{take_sent().at(0).entry.id, sdk::StatementPhase::complete}});
  EXPECT_FALSE(*read);
  connect(opened_.back());
  reply(take_sent());
  EXPECT_TRUE(*read && (*read)->results[3]);

  learn(change);
  const auto write = ask(change, 0, 0, 4);
  std::vector<sdk::UnansweredEntry> unanswered;
  for (const auto& sent : take_sent())
    unanswered.push_back({sent.entry.id, sdk::StatementPhase::written});
  lose(opened_.back(), false, std::move(unanswered));
  ASSERT_TRUE(*write);
  EXPECT_TRUE((*write)->results[0].error().outcome_unknown());
}

TEST_F(PoolBatchingTest, KnowsThatAServerThatSaidGoodbyeCommittedNothingOfAGroup) {
  learn(change);
  const auto write = ask(change, 0, 0, 4);
  std::vector<sdk::UnansweredEntry> unanswered;
  for (const auto& sent : take_sent())
    unanswered.push_back({sent.entry.id, unanswered.size() < 2 ? sdk::StatementPhase::complete
                                                               : sdk::StatementPhase::written});
  lose(1, true, std::move(unanswered));
  EXPECT_FALSE(*write);
  connect(opened_.back());
  EXPECT_EQ(take_sent().size(), 4U);
}

}  // namespace
}  // namespace millrace::actors::db
