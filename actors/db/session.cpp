#include "actors/db/session.hpp"

#include "actors/db/echo.hpp"
#include "actors/db/session_end.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::actors::db {

const char* SessionState::name = "db.session";

SessionLink::~SessionLink() {
  caf::anon_send(session_, SessionDropped{});
}

void SessionLink::send(sdk::SessionVerb verb, RequestPtr request) const {
  request->fate = fate_;
  caf::anon_send(session_, SessionCommand{verb, std::move(request)});
}

namespace {

using Self = SessionSelf;
using Phase = sdk::TransactionState::Phase;
using namespace std::chrono_literals;

constexpr std::uint64_t begin_entry = ~std::uint64_t{0};
constexpr std::uint64_t probe_entry = begin_entry - 2;
constexpr auto cancel_limit = 2s;  // what does not end by then has lost its connection

RequestPtr rollback_request() {
  return std::make_shared<Request>(std::vector<sdk::Statement>{{.sql = "ROLLBACK"}}, false,
                                   [](const ExecuteReply&) {});
}

std::shared_ptr<const sdk::Statement> own_statement(std::string sql) {
  return std::make_shared<const sdk::Statement>(sdk::Statement{.sql = std::move(sql)});
}

bool ends_transaction(sdk::SessionVerb verb) {
  return verb == sdk::SessionVerb::commit || verb == sdk::SessionVerb::rollback;
}

// A deferred constraint or a conflict fails a COMMIT and ends the transaction all the same. After
// another failure nobody knows.
bool is_in_doubt(sdk::SessionVerb verb, const sdk::Error& error) {
  if (verb == sdk::SessionVerb::rollback)
    return true;
  return verb == sdk::SessionVerb::commit && !error.code().starts_with("23")
         && !error.code().starts_with("40");
}

// What a statement sets for itself would hold until the transaction ends: a timeout is said again
// by the next ones, and the transaction alone says whether it only reads.
std::shared_ptr<const sdk::Statement>
within(SessionState& state, const std::shared_ptr<const sdk::Statement>& statement) {
  const bool keeps_timeout = statement->options.timeout.has_value() || !state.timeout_set;
  state.timeout_set = state.timeout_set || statement->options.timeout.has_value();
  if (keeps_timeout && !statement->options.read_only)
    return statement;
  auto copy = std::make_shared<sdk::Statement>(*statement);
  copy->options.read_only = false;
  if (!keeps_timeout)
    copy->options.timeout = state.setup.services.settings->statement_timeout;
  return copy;
}

bool wants_number(const SessionState& state) {
  return !state.setup.services.driver->transaction_id_sql().empty()
         && !state.setup.request->options.read_only && !state.setup.request->options.plain;
}

std::shared_ptr<const sdk::Statement> number_statement(const SessionState& state) {
  return own_statement(std::string{state.setup.services.driver->transaction_id_sql()});
}

// BEGIN, in front of the first command; and in front of that, once per pool, the question whether
// transactions can be numbered here: inside one a refusal would be its end.
void add_begin(SessionState& state, std::vector<sdk::WireEntry>& entries) {
  if (state.transaction.phase() != Phase::fresh)
    return;
  if (state.setup.request->options.plain) {
    state.transaction.begun();
    return;
  }
  if (wants_number(state)
      && state.setup.services.facts->numbers_transactions == PoolFacts::Answer::unknown)
    entries.push_back({.id = probe_entry, .statement = number_statement(state)});
  const auto& driver = *state.setup.services.driver;
  entries.push_back({.id = begin_entry,
                     .statement = own_statement(driver.begin_sql(state.setup.request->options)),
                     .sync = false});
  state.transaction.begun();
}

// In front of a COMMIT: its answer comes before the server commits, so that the outcome can be
// looked up where the answer to the COMMIT itself is lost.
void add_number(SessionState& state, std::vector<sdk::WireEntry>& entries) {
  if (wants_number(state)
      && state.setup.services.facts->numbers_transactions == PoolFacts::Answer::yes)
    entries.push_back(
      {.id = number_entry, .statement = number_statement(state), .sync = false, .flush = true});
}

std::vector<std::shared_ptr<const sdk::Statement>> statements_of(SessionState& state,
                                                                 const SessionCommand& command) {
  // A failure that the server has not seen (a parameter that could not be sent) fails the
  // transaction all the same.
  if (command.verb == sdk::SessionVerb::commit && state.transaction.phase() == Phase::failed)
    return rollback_request()->statements;
  const auto& services = state.setup.services;
  std::vector<std::shared_ptr<const sdk::Statement>> statements;
  for (const auto& statement : command.request->statements) {
    statements.push_back(within(state, statement));
    echo(*statement, "transaction", *services.settings, *services.log);
    if (command.verb == sdk::SessionVerb::execute && !state.touched)
      state.touched = !statement->bulk && leaves_traces(services, statement->sql);
  }
  return statements;
}

void send(Self self, const SessionCommand& command) {
  auto& state = self->state;
  state.setup.pulse->work();
  auto entries = std::make_shared<std::vector<sdk::WireEntry>>();
  add_begin(state, *entries);
  if (command.verb == sdk::SessionVerb::commit && state.transaction.phase() == Phase::open)
    add_number(state, *entries);
  const auto statements = statements_of(state, command);
  const auto& items = command.request->items;
  for (std::size_t i = 0; i < items.size(); ++i)
    entries->push_back({.id = i, .statement = statements[items[i].statement], .set = items[i].set});
  state.missing = entries->size();
  if (ends_transaction(command.verb))
    add_resets(state, *entries);
  self->send(state.setup.connection,
             StatementBurst{std::move(entries),
                            caf::actor_cast<BurstClient>(caf::actor_cast<SessionActor>(self))});
}

// Whether the command is answered without the server.
bool answer_here(Self self, SessionCommand& command) {
  auto& state = self->state;
  if (state.expired) {
    command.request->refuse(*state.expired);
    return true;
  }
  if (auto error = state.transaction.refusal(command.verb,
                                             command.request->statements.front()->sql)) {
    command.request->refuse(*error);
    return true;
  }
  if (command.request->items.empty()) {
    command.request->answer();
    return true;
  }
  if (!ends_transaction(command.verb) || state.transaction.phase() != Phase::fresh)
    return false;
  // Nothing was ever sent: there is nothing to commit.
  command.request->items.front().result = sdk::SqlResult{};
  command.request->answer();
  state.transaction.end();
  return true;
}

void roll_back(Self self) {
  auto& state = self->state;
  if (state.transaction.phase() == Phase::fresh) {
    state.transaction.end();
    leave(self);
    return;
  }
  state.running = SessionCommand{sdk::SessionVerb::rollback, rollback_request()};
  send(self, *state.running);
}

void run_next(Self self) {
  auto& state = self->state;
  if (state.lost_commit)
    return;  // what comes now is answered when the session ends
  while (!state.running && !state.commands.empty()) {
    auto command = std::move(state.commands.front());
    state.commands.pop_front();
    if (!answer_here(self, command)) {
      state.running = std::move(command);
      send(self, *state.running);
    }
  }
  if (state.running || state.ending)
    return;
  if (state.transaction.phase() == Phase::ended)
    leave(self);
  else if (state.dropped || state.expired)
    roll_back(self);
  else
    state.setup.pulse->rest(state.setup.services.clock->now());
}

// A server that takes no writes any more, asked by a pool that wants one that does.
bool is_demoted(const SessionState& state, const sdk::Error& error) {
  const auto& wanted = state.setup.services.settings->target_session_attrs;
  return error.code() == "25006" && !state.setup.request->options.read_only
         && (wanted == "read-write" || wanted == "primary");
}

void finish(Self self) {
  auto& state = self->state;
  auto command = std::move(*state.running);
  state.running.reset();
  state.cancelled = false;
  if (state.begin_error) {
    command.request->refuse(*state.begin_error);
    // Where BEGIN failed there is no transaction; whether the connection is as it was nobody knows.
    state.in_doubt = true;
    leave(self);
    return;
  }
  for (auto& item : command.request->items) {
    if (!item.result)
      continue;
    const auto& sql = command.request->statements[item.statement]->sql;
    if (!*item.result && is_in_doubt(command.verb, item.result->error()))
      state.in_doubt = true;
    if (!*item.result && is_demoted(state, item.result->error())) {
      state.demoted = true;
      item.result = demoted_error(item.result->error());
    }
    item.result = state.transaction.finished(command.verb, sql, std::move(*item.result));
  }
  command.request->answer();
  run_next(self);
}

void take(Self self, std::vector<ItemAnswer>& answers) {
  auto& state = self->state;
  for (auto& answer : answers) {
    if (answer.id >= first_reset_entry && answer.id < probe_entry) {
      take_reset(self, answer);
      continue;
    }
    if (!state.running || state.missing == 0)
      continue;
    if (answer.id == probe_entry) {
      state.setup.services.facts->numbers_transactions = answer.result ? PoolFacts::Answer::yes
                                                                       : PoolFacts::Answer::no;
    } else if (answer.id == begin_entry) {
      if (!answer.result)
        state.begin_error = answer.result.error();
    } else if (answer.id < state.running->request->items.size()) {
      state.running->request->items[answer.id].result = std::move(answer.result);
    }
    if (--state.missing == 0)
      finish(self);
  }
}

// A COMMIT or ROLLBACK that is under way decides by itself.
void expire(Self self, const sdk::Error& error) {
  auto& state = self->state;
  if (state.ending || state.expired || state.lost_commit
      || state.transaction.phase() == Phase::ended
      || (state.running && ends_transaction(state.running->verb)))
    return;
  state.expired = error;
  state.setup.fate->decide(error);
  if (state.running) {
    // Answered now, whatever the server does. A cancel may hit what comes next on the connection,
    // so nobody else gets that.
    state.running->request->refuse(error);
    state.cancelled = true;
    state.in_doubt = true;
    self->send(state.setup.connection, CancelRunning{});
    self->delayed_send(caf::actor_cast<SessionActor>(self), cancel_limit, SessionTick{});
  } else {
    run_next(self);
  }
}

void look_again(Self self) {
  auto& state = self->state;
  if (state.lost_commit)
    ask_outcome(self);
  else if (state.cancelled)
    self->send(state.setup.connection, CloseWire{});
}

}  // namespace

SessionActor::behavior_type session(Self self, SessionSetup setup) {
  report_exceptions(self);
  self->state.setup = std::move(setup);
  self->monitor(self->state.setup.connection);
  self->set_down_handler([self](const caf::down_msg&) {
    // Behind whatever the connection had still sent; its own word on the loss comes first.
    sdk::WireLoss loss{sdk::Error{sdk::ErrorKind::crash, "the connection's actor died"}};
    loss.lists_all = false;
    self->send(
      caf::actor_cast<SessionActor>(self),
      ConnectionGone{self->state.setup.id, std::make_shared<const sdk::WireLoss>(std::move(loss))});
  });
  return {
    [self](const SessionCommand& command) {
      self->state.commands.push_back(command);
      run_next(self);
    },
    [self](SessionDropped) {
      self->state.dropped = true;
      run_next(self);
    },
    [self](const SessionExpired& expired) { expire(self, expired.error); },
    [self](SessionTick) { look_again(self); },
    [self](const CommitOutcome& outcome) { take_outcome(self, *outcome.reply); },
    [self](BurstAnswered& answered) { take(self, *answered.answers); },
    [self](const ConnectionGone& gone) { lose_connection(self, *gone.loss); },
  };
}

}  // namespace millrace::actors::db
