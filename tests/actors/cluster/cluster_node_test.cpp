// Nodes of a cluster on a real coordination server, which some of them lose sight of.
#include "actors/cluster/node.hpp"
#include "tests/actors/cluster/coordination_fixture.hpp"
#include "tests/support/fault_proxy.hpp"

#include <condition_variable>
#include <map>
#include <mutex>

namespace millrace::actors::cluster {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What ran where, and when; for all nodes of a test.
class Journal {
public:
  void started(const std::string& slot, const std::string& node, std::uint64_t epoch) {
    const std::lock_guard lock{mutex_};
    if (running_.contains(slot))
      trouble_.push_back(slot + " started on " + node + " while it ran on " + running_[slot]);
    if (epoch <= epochs_[slot])
      trouble_.push_back(slot + " started with epoch " + std::to_string(epoch) + " again");
    epochs_[slot] = epoch;
    running_[slot] = node;
    changed_.notify_all();
  }

  void ended(const std::string& slot, const std::string& node) {
    const std::lock_guard lock{mutex_};
    if (running_.contains(slot) && running_[slot] == node)
      running_.erase(slot);
    changed_.notify_all();
  }

  /// Waits until the slots run and `fits` says yes to where. @returns by slot; empty: not in time.
  std::map<std::string, std::string>
  wait(std::size_t slots,
       const std::function<bool(const std::map<std::string, std::string>&)>& fits) {
    std::unique_lock lock{mutex_};
    const bool met = changed_.wait_for(lock, 30s,
                                       [&] { return running_.size() == slots && fits(running_); });
    return met ? running_ : std::map<std::string, std::string>{};
  }

  std::vector<std::string> trouble() {
    const std::lock_guard lock{mutex_};
    return trouble_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> running_;
  std::map<std::string, std::uint64_t> epochs_;
  std::vector<std::string> trouble_;
};

class JournalRunner : public SlotRunner {
public:
  JournalRunner(Journal& journal, std::string node) : journal_{journal}, node_{std::move(node)} {}

  void start(const std::string& slot, std::uint64_t epoch, Ended ended) override {
    journal_.started(slot, node_, epoch);
    const std::lock_guard lock{mutex_};
    running_[slot] = std::move(ended);
  }

  void stop(const std::string& slot) override { end(slot); }

  void kill(const std::string& slot) override { end(slot); }

private:
  void end(const std::string& slot) {
    Ended ended;
    {
      const std::lock_guard lock{mutex_};
      ended = std::move(running_[slot]);
      running_.erase(slot);
    }
    journal_.ended(slot, node_);
    if (ended)
      ended();
  }

  Journal& journal_;
  std::string node_;
  std::mutex mutex_;
  std::map<std::string, Ended> running_;
};

/// A node with a way of its own to the coordination server.
struct TestNode {
  TestNode(const DriverCase& server, test::Endpoint where, Journal& journal, std::string name,
           std::vector<Offer> offers)
    : proxy{std::make_unique<test::FaultProxy>(where)}, runner{journal, name} {
    auto settings = server.settings;
    settings.hosts = {{"127.0.0.1", proxy->port()}};
    settings.pool.max_size = 2;
    pool = std::make_unique<PoolFixture>(settings, *server.driver);
    NodeCard card;
    card.name = std::move(name);
    card.offers = make_offers(std::move(offers));
    node = ClusterNode{pool->system(),
                       {.coordination = pool->handle(),
                        .cluster = "test",
                        .options = {.lease = 6s, .margin = 3s, .beat = 500ms, .patience = 200ms},
                        .card = std::move(card),
                        .runner = &runner}};
  }

  TestNode(const TestNode&) = delete;
  TestNode& operator=(const TestNode&) = delete;

  ~TestNode() { node.close(); }

  NodeStatus status() const {
    Awaited<NodeStatus> got;
    node.status(got.callback());
    return got.get();
  }

  std::unique_ptr<test::FaultProxy> proxy;
  JournalRunner runner;
  std::unique_ptr<PoolFixture> pool;
  ClusterNode node;
};

class ClusterNodeTest : public CoordinationFixture {
protected:
  void TearDown() override {
    nodes_.clear();
    EXPECT_EQ(journal_.trouble(), std::vector<std::string>{});
    PostgresTest::TearDown();
  }

  void add(const std::string& name) {
    nodes_.emplace(
      name, std::make_unique<TestNode>(case_, test::Endpoint{server_->host(), server_->port()},
                                       journal_, name, std::vector<Offer>{{"a"}, {"b"}, {"c"}}));
  }

  static std::size_t on(const std::map<std::string, std::string>& running,
                        const std::string& node) {
    std::size_t count = 0;
    for (const auto& [slot, runner] : running)
      count += runner == node ? 1 : 0;
    return count;
  }

  Journal journal_;
  std::map<std::string, std::unique_ptr<TestNode>> nodes_;
};

TEST_F(ClusterNodeTest, ThreeNodesShareWhatThereIs) {
  for (const auto* name : {"n1", "n2", "n3"})
    add(name);
  const auto running = journal_.wait(
    3, [](const auto& at) { return on(at, "n1") == 1 && on(at, "n2") == 1 && on(at, "n3") == 1; });
  EXPECT_EQ(running.size(), 3U);
  const auto status = nodes_["n1"]->status();
  EXPECT_EQ(status.state, MemberState::member);
  EXPECT_EQ(status.view.nodes.size(), 3U);
  EXPECT_GT(status.good_for, 0ms);
}

TEST_F(ClusterNodeTest, AnotherNodeTakesOverFromOneThatIsCutOffAndItHeals) {
  add("n1");
  ASSERT_EQ(journal_.wait(3, [](const auto& at) { return on(at, "n1") == 3; }).size(), 3U);
  add("n2");
  ASSERT_EQ(journal_.wait(3, [](const auto& at) { return on(at, "n2") >= 1; }).size(), 3U);

  // Cut off: it stops by itself, and the other one has all.
  nodes_["n1"]->proxy->strike(
    {.kind = test::Fault::Kind::stall, .direction = test::Direction::to_client});
  nodes_["n1"]->proxy->refuse(true);
  EXPECT_EQ(journal_.wait(3, [](const auto& at) { return on(at, "n2") == 3; }).size(), 3U);

  // The way is free again.
  nodes_["n1"]->proxy->refuse(false);
  EXPECT_EQ(journal_.wait(3, [](const auto& at) { return on(at, "n1") >= 1; }).size(), 3U);
}

TEST_F(ClusterNodeTest, WhatANodeHadMovesAtOnceWhereItDrains) {
  add("n1");
  add("n2");
  ASSERT_EQ(
    journal_.wait(3, [](const auto& at) { return on(at, "n1") >= 1 && on(at, "n2") >= 1; }).size(),
    3U);
  auto drained = std::make_shared<std::promise<void>>();
  nodes_["n1"]->node.drain([drained] { drained->set_value(); });
  EXPECT_EQ(journal_.wait(3, [](const auto& at) { return on(at, "n2") == 3; }).size(), 3U);
  drained->get_future().get();
  EXPECT_EQ(nodes_["n1"]->status().state, MemberState::gone);
}

TEST_F(ClusterNodeTest, AServerThatIsNotThereYetIsWaitedFor) {
  ASSERT_TRUE(pool_->run("CREATE TABLE millrace_nodes (wrong int)"));
  add("n1");
  EXPECT_EQ(nodes_["n1"]->status().state, MemberState::outside);
  ASSERT_TRUE(pool_->run("DROP TABLE millrace_nodes CASCADE"));
  EXPECT_EQ(journal_.wait(3, [](const auto& at) { return on(at, "n1") == 3; }).size(), 3U);
}

}  // namespace
}  // namespace millrace::actors::cluster
