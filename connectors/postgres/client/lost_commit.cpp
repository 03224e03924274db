#include "connectors/postgres/client/lost_commit.hpp"

#include "connectors/postgres/client/execution.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace millrace::postgres {

namespace {

using namespace std::chrono_literals;
using Done = std::function<void(sdk::Result<sdk::SqlResult>)>;

constexpr auto longest_search = 30s;
constexpr auto search_pause = 100ms;

// Asks until the server knows.
class Search : public std::enable_shared_from_this<Search> {
public:
  Search(std::shared_ptr<ClientPool> pool, std::string transaction, sdk::Error loss, Done done)
    : pool_{std::move(pool)},
      transaction_{std::move(transaction)},
      loss_{std::move(loss)},
      done_{std::move(done)} {}

  void ask() {
    sdk::Statement question{.sql = std::string{pool_->services().driver->transaction_outcome_sql()},
                            .sets = {{sdk::Value{transaction_}}}};
    question.options.idempotent = true;
    const auto asked = std::make_shared<Execution>(
      pool_, std::move(question),
      [self = shared_from_this()](const std::vector<sdk::Result<sdk::SqlResult>>& results) {
        self->take(results.front());
      });
    asked->start();
  }

private:
  void take(const sdk::Result<sdk::SqlResult>& result) {
    std::string_view outcome;
    if (result && result->rows.size() == 1) {
      const auto* value = result->rows.items()[0].find("outcome");
      outcome = value == nullptr || value->is_null() ? "gone" : value->as_string();
    }
    const bool may_wait = outcome == "in progress" || (!result && result.error().retryable());
    if (outcome == "committed") {
      done_(sdk::SqlResult{.command = "COMMIT"});
    } else if (outcome == "aborted") {
      done_(transaction_lost(loss_));
    } else if (may_wait && std::chrono::steady_clock::now() < give_up_at_) {
      // The server still works on it, or cannot be reached yet.
      pool_->services().loop->after(search_pause, [self = shared_from_this()] { self->ask(); });
    } else {
      done_(sdk::outcome_unknown(loss_));
    }
  }

  std::shared_ptr<ClientPool> pool_;
  std::string transaction_;
  sdk::Error loss_;
  Done done_;
  sdk::Instant give_up_at_ = std::chrono::steady_clock::now() + longest_search;
};

}  // namespace

sdk::Error transaction_lost(const sdk::Error& loss) {
  sdk::Error::Detail detail{.code = loss.code().empty() ? "08006" : loss.code()};
  detail.retryable = true;
  return {sdk::ErrorKind::connection,
          "the connection was lost, and the transaction with it: " + loss.message(),
          std::move(detail)};
}

void resolve_commit(const std::shared_ptr<ClientPool>& pool, const sdk::WireLoss& loss,
                    const BurstResult::Item& commit, const BurstResult::Item& number, Done done) {
  using sdk::StatementPhase;
  const auto rolled_back = [&] { done(transaction_lost(loss.error)); };
  if (loss.lists_all && !commit.result && commit.phase == StatementPhase::queued) {
    rolled_back();  // it never left
    return;
  }
  if (commit.told) {
    // The server says so only when it is done.
    if (commit.told->command == "ROLLBACK")
      rolled_back();
    else
      done(sdk::SqlResult{.command = "COMMIT"});
    return;
  }
  const auto* row = number.told && number.told->rows.size() == 1 ? &number.told->rows.items()[0]
                                                                 : nullptr;
  const auto* id = row != nullptr ? row->find("id") : nullptr;
  if (id != nullptr && id->is_null())
    rolled_back();  // it wrote nothing
  else if (id != nullptr)
    std::make_shared<Search>(pool, std::string{id->as_string()}, loss.error, std::move(done))
      ->ask();
  else
    done(sdk::outcome_unknown(loss.error));
}

}  // namespace millrace::postgres
