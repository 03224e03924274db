#include "connectors/postgres/client/execution.hpp"

#include "connectors/sdk/sql/traces.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace millrace::postgres {

namespace {

using namespace std::chrono_literals;

// The server has this much longer than the statement's limit, then the connection counts as stuck.
constexpr auto grace = 2s;

// A server that ends a statement itself does so within this after its limit.
constexpr auto lateness = 200ms;

bool timed_out(const BurstResult& result) {
  return std::ranges::any_of(result.items, [](const BurstResult::Item& item) {
    return item.result && !*item.result && item.result->error().kind() == sdk::ErrorKind::timeout;
  });
}

}  // namespace

Execution::Execution(std::shared_ptr<ClientPool> pool, sdk::Statement statement, ManyCallback done)
  : pool_{std::move(pool)},
    statement_{std::make_shared<const sdk::Statement>(std::move(statement))},
    done_{std::move(done)},
    results_(statement_->sets.size()),
    pending_(statement_->sets.size()) {
  std::iota(pending_.begin(), pending_.end(), std::size_t{0});
}

void Execution::start() {
  if (pending_.empty()) {
    std::exchange(done_, nullptr)({});
    return;
  }
  const auto& services = pool_->services();
  if (services.settings->echo && attempt_ == 1)
    services.log->info("statement", {{"server", services.settings->name},
                                     {"sql", sdk::sql::without_values(statement_->sql)},
                                     {"sets", statement_->sets.size()}});
  pool_->acquire([self = shared_from_this()](sdk::Result<Lease> lease) {
    if (lease) {
      self->send(*lease);
      return;
    }
    for (const auto set : std::exchange(self->pending_, {}))
      self->settle(set, lease.error());
  });
}

std::chrono::milliseconds Execution::time_limit() const {
  const auto one = statement_->options.timeout.value_or(
    pool_->services().settings->statement_timeout);
  return one > 0ms ? one * static_cast<std::int64_t>(pending_.size()) + grace : 0ms;
}

void Execution::send(const Lease& lease) {
  std::vector<BurstItem> items;
  items.reserve(pending_.size());
  for (const auto set : pending_)
    items.push_back({statement_, static_cast<std::uint32_t>(set), true});
  auto* loop = pool_->services().loop;
  sdk::TimerId watchdog = 0;
  if (const auto limit = time_limit(); limit > 0ms) {
    watchdog = loop->after(limit, [weak = weak_from_this(), lease] {
      if (const auto self = weak.lock()) {
        self->overdue_ = true;
        lease->abandon();
      }
    });
  }
  const auto late_from = std::chrono::steady_clock::now() + time_limit() - grace + lateness;
  lease->run(std::move(items), [self = shared_from_this(), held = lease, loop, watchdog,
                                late_from](const BurstResult& result) mutable {
    loop->cancel(watchdog);
    // The wire gave up waiting before the server did: it takes no more work.
    if (timed_out(result) && std::chrono::steady_clock::now() >= late_from)
      held->spoil();
    held.reset();  // before the caller can ask for more
    self->take(result);
  });
}

sdk::Error Execution::lost_error(sdk::StatementPhase phase, const sdk::WireLoss& loss,
                                 sdk::LossVerdict verdict) const {
  if (overdue_ && phase != sdk::StatementPhase::queued) {
    sdk::Error::Detail detail{.hint = "the connection was given up", .code = "57014"};
    detail.outcome_unknown = verdict == sdk::LossVerdict::unknown;
    return {sdk::ErrorKind::timeout, "the server did not answer within the statement's timeout",
            std::move(detail)};
  }
  return verdict == sdk::LossVerdict::unknown ? sdk::outcome_unknown(loss.error) : loss.error;
}

void Execution::take(const BurstResult& result) {
  std::vector<std::size_t> again;
  std::chrono::milliseconds wait{0};
  std::optional<sdk::Error> cause;
  const auto sets = std::exchange(pending_, {});
  auto& retries = pool_->retries();
  const auto base = pool_->services().settings->retry.connection_base;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto& item = result.items[i];
    if (item.result && *item.result) {
      retries.succeeded();
      settle(sets[i], *item.result);
    } else if (item.result) {
      const auto& error = item.result->error();
      if (const auto delay = retries.after_error(error, attempt_)) {
        again.push_back(sets[i]);
        wait = std::max(wait, *delay);
        cause = error;
      } else {
        settle(sets[i], error.with_attempts(attempt_));
      }
    } else {
      const auto verdict = sdk::judge_loss(item.phase, result.loss->server_ended, *statement_);
      auto error = lost_error(item.phase, *result.loss, verdict);
      if (!overdue_ && retries.allows_after_loss(verdict, attempt_)) {
        again.push_back(sets[i]);
        wait = std::max(wait, base);
        cause = std::move(error);
      } else {
        settle(sets[i], error.with_attempts(attempt_));
      }
    }
  }
  if (!again.empty())
    try_again(std::move(again), wait, *cause);
}

void Execution::try_again(std::vector<std::size_t> sets, std::chrono::milliseconds wait,
                          const sdk::Error& error) {
  const auto& services = pool_->services();
  services.log->warn(
    "statement retried",
    {{"server", services.settings->name}, {"sqlstate", error.code()}, {"attempt", attempt_}});
  ++attempt_;
  pending_ = std::move(sets);
  services.loop->after(wait, [self = shared_from_this()] { self->start(); });
}

void Execution::settle(std::size_t set, sdk::Result<sdk::SqlResult> result) {
  results_[set] = std::move(result);
  if (++settled_ < results_.size())
    return;
  std::vector<sdk::Result<sdk::SqlResult>> all;
  all.reserve(results_.size());
  for (auto& one : results_)
    all.push_back(std::move(*one));
  std::exchange(done_, nullptr)(std::move(all));
}

}  // namespace millrace::postgres
