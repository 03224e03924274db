// PoolCoreTest: a PoolCore whose actions are sorted out, with scripted time.
#pragma once

#include "actors/db/pool_core.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace millrace::actors::db {

class PoolCoreTest : public testing::Test {
protected:
  /// Idle connections are not asked whether they are still there, unless `asks`.
  void make(sdk::PoolSettings pool = {}, std::uint32_t lane = 1, bool wants_writes = false,
            bool asks = false) {
    pool.pre_ping = asks;
    PoolLimits limits{.pool = pool,
                      .connections = pool.limit(),
                      .lane = lane,
                      .wants_writes = wants_writes,
                      .server = "test"};
    core_.emplace(std::move(limits), 7);
    core_->start(now_);
    collect();
  }

  void make_asking(const sdk::PoolSettings& pool) { make(pool, 1, false, true); }

  /// Sorts out what the core wants done.
  void collect() {
    for (auto& action : core_->take_actions()) {
      if (const auto* open = std::get_if<OpenConnection>(&action))
        opened_.push_back(open->id);
      else if (const auto* close = std::get_if<CloseConnection>(&action))
        closed_.push_back(close->id);
      else if (auto* send = std::get_if<SendEntries>(&action))
        for (const auto& entry : send->entries)
          sent_.push_back({send->id, entry});
      else if (const auto* grant = std::get_if<GrantSession>(&action)) {
        granted_.push_back(grant->id);
        pulse_ = grant->pulse;
      } else if (const auto* expire = std::get_if<ExpireSession>(&action))
        expired_.push_back(*expire);
      else if (const auto* leak = std::get_if<ReportLeak>(&action))
        leaks_.push_back(*leak);
      else if (const auto* retry = std::get_if<ReportRetry>(&action))
        retries_.push_back(*retry);
    }
  }

  void connect(ConnectionId id) {
    core_->connected(id, now_);
    collect();
  }

  std::shared_ptr<std::optional<ExecuteReply>> submit(int sets = 1, std::string sql = "SELECT 1",
                                                      std::uint64_t key = 0, bool atomic = false) {
    auto reply = std::make_shared<std::optional<ExecuteReply>>();
    sdk::Statement statement{.sql = std::move(sql),
                             .sets = std::vector<sdk::Parameters>(static_cast<std::size_t>(sets))};
    statement.options.order_key = key;
    core_->submit(
      std::make_shared<Request>(std::vector<sdk::Statement>{std::move(statement)}, atomic,
                                [reply](ExecuteReply answer) { *reply = std::move(answer); }),
      now_);
    collect();
    return reply;
  }

  std::shared_ptr<std::optional<sdk::Error>> want_session(std::string holder = {}) {
    auto refused = std::make_shared<std::optional<sdk::Error>>();
    auto request = std::make_shared<SessionRequest>();
    request->options.holder = std::move(holder);
    request->done = [refused](const sdk::Result<SessionHandle>& session) {
      if (!session)
        *refused = session.error();
    };
    core_->submit(request, now_);
    waiting_sessions_.push_back(request);
    collect();
    return refused;
  }

  /// Answers the oldest `count` entries that were sent.
  void answer(std::size_t count, std::optional<sdk::Error> error = std::nullopt) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto [connection, entry] = sent_.front();
      sent_.erase(sent_.begin());
      std::vector<ItemAnswer> answers;
      if (error)
        answers.push_back({entry.id, *error, false});
      else
        answers.push_back({entry.id, sdk::SqlResult{}, false});
      core_->answered(connection, std::move(answers), now_);
      collect();
    }
  }

  void lose(ConnectionId id, bool server_ended, std::vector<sdk::UnansweredEntry> unanswered = {}) {
    sdk::WireLoss loss{lost_};
    loss.server_ended = server_ended;
    loss.unanswered = std::move(unanswered);
    core_->lost(id, loss, now_);
    collect();
  }

  void release(ConnectionId id, bool clean = true) {
    core_->released(id, clean, now_);
    collect();
  }

  void pass(std::chrono::milliseconds time) {
    now_ += time;
    core_->tick(now_);
    collect();
  }

  static sdk::Error conflict() {
    sdk::Error::Detail detail{.code = "40001"};
    detail.retryable = true;
    return {sdk::ErrorKind::transaction, "conflict", std::move(detail)};
  }

  struct Sent {
    ConnectionId connection;
    sdk::WireEntry entry;
  };

  const sdk::Error lost_ = [] {
    sdk::Error::Detail detail{.code = "08006"};
    detail.retryable = true;
    return sdk::Error{sdk::ErrorKind::connection, "gone", std::move(detail)};
  }();
  sdk::Instant now_{std::chrono::seconds{1000}};
  std::optional<PoolCore> core_;
  std::vector<ConnectionId> opened_;
  std::vector<ConnectionId> closed_;
  std::vector<Sent> sent_;
  std::vector<ConnectionId> granted_;
  std::vector<ReportLeak> leaks_;
  std::vector<ExpireSession> expired_;
  std::shared_ptr<SessionPulse> pulse_;  // of the session granted last
  std::vector<ReportRetry> retries_;
  std::vector<SessionRequestPtr> waiting_sessions_;
};

}  // namespace millrace::actors::db
