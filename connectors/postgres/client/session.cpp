#include "connectors/postgres/client/session.hpp"

#include "connectors/postgres/client/lost_commit.hpp"
#include "connectors/sdk/immortal.hpp"
#include "connectors/sdk/sql/traces.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::postgres {

namespace {

using sdk::SessionVerb;
using Phase = sdk::TransactionState::Phase;
using Results = std::vector<sdk::Result<sdk::SqlResult>>;

std::shared_ptr<const sdk::Statement> share(sdk::Statement statement) {
  return std::make_shared<const sdk::Statement>(std::move(statement));
}

std::shared_ptr<const sdk::Statement> own_statement(std::string_view sql) {
  return share({.sql = std::string{sql}});
}

bool ends_transaction(SessionVerb verb) {
  return verb == SessionVerb::commit || verb == SessionVerb::rollback;
}

// A deferred constraint or a conflict fails a COMMIT and ends the transaction all the same.
bool is_in_doubt(SessionVerb verb, const sdk::Error& error) {
  return verb == SessionVerb::rollback
         || (verb == SessionVerb::commit && !error.code().starts_with("23")
             && !error.code().starts_with("40"));
}

}  // namespace

void ClientSession::open(std::function<void(sdk::Status)> done) {
  pool_->acquire([self = shared_from_this(), done = std::move(done)](sdk::Result<Lease> lease) {
    self->opening_ = false;
    if (lease) {
      self->lease_ = std::move(*lease);
      if (const auto limit = self->options_.timeout)
        self->timer_ = self->pool_->services().loop->after(*limit, [self] { self->expire(); });
      done({});
    } else {
      self->fate_ = lease.error();
      self->state_.end();
      done(lease.error());
    }
    self->run_next();
  });
}

// A COMMIT or ROLLBACK that is under way decides by itself.
void ClientSession::expire() {
  timer_ = 0;
  if (state_.phase() == Phase::ended || (running_ && ends_transaction(running_->verb)))
    return;
  fate_ = sdk::Error{sdk::ErrorKind::timeout,
                     "the transaction took longer than its "
                       + std::to_string(options_.timeout->count()) + " ms, and was rolled back",
                     {.code = "25P04"}};
  // The server rolls back what it loses sight of.
  lease_->abandon();
  if (!running_)
    end(false);
}

void ClientSession::run(SessionVerb verb, sdk::Statement statement, Answer done) {
  commands_.push_back({verb, share(std::move(statement)), std::move(done)});
  run_next();
}

void ClientSession::run_next() {
  while (!opening_ && !running_ && !commands_.empty()) {
    auto command = std::move(commands_.front());
    commands_.pop_front();
    if (answer_here(command))
      continue;
    running_ = std::move(command);
    send();
  }
}

// Whether the server need not be asked.
bool ClientSession::answer_here(Command& command) {
  const auto count = std::max<std::size_t>(1, command.statement->sets.size());
  if (fate_) {
    // What is to be undone is undone.
    command.done(command.verb == SessionVerb::rollback
                   ? Results{sdk::SqlResult{.command = "ROLLBACK"}}
                   : Results(count, *fate_));
    return true;
  }
  if (const auto refused = state_.refusal(command.verb, command.statement->sql)) {
    command.done(Results(count, *refused));
    return true;
  }
  if (command.verb == SessionVerb::execute && command.statement->sets.empty()) {
    command.done({});
    return true;
  }
  if (!ends_transaction(command.verb) || state_.phase() != Phase::fresh)
    return false;
  // Nothing was ever sent: there is nothing to commit.
  end(true);
  command.done(Results{
    sdk::SqlResult{.command = command.verb == SessionVerb::commit ? "COMMIT" : "ROLLBACK"}});
  return true;
}

bool ClientSession::wants_number() const {
  return !options_.read_only && !pool_->services().driver->transaction_id_sql().empty();
}

// BEGIN; and in front of it, once per pool, the question whether transactions have numbers here:
// inside one a refusal would be its end.
void ClientSession::append_begin(std::vector<BurstItem>& items) {
  const auto& services = pool_->services();
  if (wants_number() && !pool_->numbers_transactions()) {
    items.push_back({own_statement(services.driver->transaction_id_sql())});
    ahead_.probe = true;
  }
  items.push_back({own_statement(services.driver->begin_sql(options_)), 0, false});
  const auto idle = options_.idle_timeout.value_or(services.settings->idle_in_transaction);
  if (idle.count() > 0)
    items.push_back(
      {share(
         {.sql = "SELECT pg_catalog.set_config('idle_in_transaction_session_timeout', $1, true)",
          .sets = {{sdk::Value{std::to_string(idle.count())}}}}),
       0, false});
}

// In front of a COMMIT: the answer comes before the server commits, so that the outcome can be
// looked up where the COMMIT's own answer is lost.
void ClientSession::append_number(std::vector<BurstItem>& items) {
  if (!wants_number() || !pool_->numbers_transactions().value_or(false))
    return;
  items.push_back({own_statement(pool_->services().driver->transaction_id_sql()), 0, false, true});
  ahead_.number = true;
}

// What a statement sets for itself would hold until the transaction ends: a timeout is said again
// by the next ones, and the transaction alone says whether it only reads.
std::shared_ptr<const sdk::Statement>
ClientSession::within(const std::shared_ptr<const sdk::Statement>& statement) {
  const bool keeps_timeout = statement->options.timeout.has_value() || !timeout_set_;
  timeout_set_ = timeout_set_ || statement->options.timeout.has_value();
  if (keeps_timeout && !statement->options.read_only)
    return statement;
  auto copy = *statement;
  copy.options.read_only = false;
  if (!keeps_timeout)
    copy.options.timeout = pool_->services().settings->statement_timeout;
  return share(std::move(copy));
}

void ClientSession::send() {
  const auto& services = pool_->services();
  std::vector<BurstItem> items;
  ahead_ = {};
  if (state_.phase() == Phase::fresh) {
    append_begin(items);
    state_.begun();
  }
  const bool failed = state_.phase() == Phase::failed;
  auto statement = running_->statement;
  if (running_->verb == SessionVerb::execute && !failed)
    statement = within(statement);
  else if (running_->verb == SessionVerb::commit && !failed)
    append_number(items);
  else if (running_->verb == SessionVerb::commit)
    // The server may not have seen the failure (a parameter that could not be sent).
    statement = own_statement("ROLLBACK");
  ahead_.items = items.size();
  for (std::size_t set = 0; set < statement->sets.size(); ++set)
    items.push_back({statement, static_cast<std::uint32_t>(set), true});
  if (services.settings->echo)
    services.log->info("statement", {{"server", services.settings->name},
                                     {"sql", sdk::sql::without_values(statement->sql)},
                                     {"sets", statement->sets.size()}});
  lease_->run(std::move(items),
              [self = shared_from_this()](BurstResult result) { self->take(std::move(result)); });
}

void ClientSession::take(BurstResult result) {
  if (result.loss) {
    give_up(result);
    return;
  }
  if (ahead_.probe)
    pool_->numbers_transactions() = result.items.front().result->has_value();
  for (std::size_t i = ahead_.probe ? 1 : 0; i < ahead_.items; ++i) {
    // Where BEGIN failed there is no transaction. What a neighbour's failure undid is not at fault.
    if (const auto& begun = *result.items[i].result; !begun && begun.error().code() != "25P02") {
      begin_failed(begun.error(), result.items.size() - ahead_.items);
      return;
    }
  }
  Results results;
  for (std::size_t i = ahead_.items; i < result.items.size(); ++i)
    results.push_back(std::move(*result.items[i].result));
  finish(std::move(results));
}

void ClientSession::begin_failed(const sdk::Error& error, std::size_t results) {
  fate_ = error;
  end(false);
  auto command = std::move(*running_);
  running_.reset();
  command.done(Results(results, error));
  run_next();
}

void ClientSession::finish(Results results) {
  auto command = std::move(*running_);
  running_.reset();
  bool in_doubt = false;
  for (auto& result : results) {
    in_doubt = in_doubt || (!result && is_in_doubt(command.verb, result.error()));
    result = state_.finished(command.verb, command.statement->sql, std::move(result));
  }
  if (state_.phase() == Phase::ended)
    end(!in_doubt);
  command.done(std::move(results));
  run_next();
}

// The server rolls back what it lost sight of, but for a COMMIT that was under way.
void ClientSession::give_up(const BurstResult& result) {
  auto command = std::move(*running_);
  running_.reset();
  const auto lost = transaction_lost(result.loss->error);
  if (!fate_)
    fate_ = lost;
  end(false);
  if (command.verb == SessionVerb::rollback) {
    command.done(Results{sdk::SqlResult{.command = "ROLLBACK"}});
  } else if (command.verb == SessionVerb::commit) {
    static const sdk::Immortal<BurstResult::Item> nothing;
    resolve_commit(pool_, *result.loss, result.items.back(),
                   ahead_.number ? result.items[ahead_.items - 1] : *nothing,
                   [done = std::move(command.done)](sdk::Result<sdk::SqlResult> outcome) {
                     done(Results{std::move(outcome)});
                   });
  } else {
    command.done(Results(result.items.size() - ahead_.items, *fate_));
  }
  run_next();
}

void ClientSession::end(bool clean) {
  state_.end();
  pool_->services().loop->cancel(std::exchange(timer_, 0));
  if (lease_)
    lease_->soil();
  if (lease_ && !clean)
    lease_->spoil();
  lease_.reset();
}

}  // namespace millrace::postgres
