#include "actors/db/session.hpp"

#include "actors/db/echo.hpp"
#include "dsl/sql/classify.hpp"
#include "dsl/sql/lexer.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::actors::db {

const char* SessionState::name = "db.session";

SessionLink::~SessionLink() {
  caf::anon_send(session_, SessionDropped{});
}

void SessionLink::send(SessionVerb verb, RequestPtr request) const {
  request->fate = fate_;
  caf::anon_send(session_, SessionCommand{verb, std::move(request)});
}

namespace {

using Self = SessionActor::stateful_pointer<SessionState>;
using Phase = TransactionState::Phase;

constexpr std::uint64_t begin_entry = ~std::uint64_t{0};

RequestPtr rollback_request() {
  return std::make_shared<Request>(std::vector<sdk::Statement>{{.sql = "ROLLBACK"}}, false,
                                   [](const ExecuteReply&) {});
}

std::string upper(std::string_view text) {
  std::string result{text};
  std::ranges::transform(result, result.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  });
  return result;
}

// Whether a statement may leave something behind in its connection when the transaction is over:
// settings, temporary tables, locks of the session. What a function does that it calls stays
// unseen.
bool leaves_traces(std::string_view sql) {
  const auto tokens = dsl::tokenize(sql);
  if (!tokens)
    return true;
  const auto statement = dsl::single_statement(sql, *tokens);
  if (!statement)
    return true;
  const auto kind = dsl::classify(*statement).kind;
  if (kind == dsl::StatementKind::transaction)
    return false;
  if (kind != dsl::StatementKind::query && kind != dsl::StatementKind::update)
    return true;
  return std::ranges::any_of(*statement, [](const dsl::SqlToken& token) {
    if (token.kind != dsl::SqlTokenKind::word)
      return false;
    const auto word = upper(token.text);
    return word == "SET_CONFIG" || word.starts_with("PG_ADVISORY_LOCK")
           || word.starts_with("PG_TRY_ADVISORY_LOCK");
  });
}

// A deferred constraint or a conflict fails a COMMIT and ends the transaction all the same. After
// another failure nobody knows.
bool is_in_doubt(SessionVerb verb, const sdk::Error& error) {
  if (verb == SessionVerb::rollback)
    return true;
  return verb == SessionVerb::commit && !error.code().starts_with("23")
         && !error.code().starts_with("40");
}

void give_back(Self self, bool clean) {
  self->state.transaction.end();
  self->send(self->state.setup.pool, SessionReturned{self->state.setup.id, clean, self->address()});
  self->quit();
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

void send(Self self, const SessionCommand& command) {
  auto& state = self->state;
  auto entries = std::make_shared<std::vector<sdk::WireEntry>>();
  if (state.transaction.phase() == Phase::fresh) {
    sdk::Statement begin{
      .sql = state.setup.services.driver->begin_sql(state.setup.request->options)};
    entries->push_back({.id = begin_entry,
                        .statement = std::make_shared<const sdk::Statement>(std::move(begin)),
                        .sync = false});
    state.transaction.begun();
  }
  std::vector<std::shared_ptr<const sdk::Statement>> statements;
  for (const auto& statement : command.request->statements) {
    statements.push_back(within(state, statement));
    echo(*statement, "transaction", *state.setup.services.settings, *state.setup.services.log);
    if (command.verb == SessionVerb::execute && !state.touched)
      state.touched = leaves_traces(statement->sql);
  }
  // A failure that the server has not seen (a parameter that could not be sent) fails the
  // transaction all the same.
  if (command.verb == SessionVerb::commit && state.transaction.phase() == Phase::failed)
    statements = rollback_request()->statements;
  const auto& items = command.request->items;
  for (std::size_t i = 0; i < items.size(); ++i)
    entries->push_back({.id = i, .statement = statements[items[i].statement], .set = items[i].set});
  state.missing = entries->size();
  self->send(state.setup.connection,
             StatementBurst{std::move(entries),
                            caf::actor_cast<BurstClient>(caf::actor_cast<SessionActor>(self))});
}

// Whether the command is answered without the server.
bool answer_here(Self self, SessionCommand& command) {
  auto& state = self->state;
  if (auto error = state.transaction.refusal(command.verb,
                                             command.request->statements.front()->sql)) {
    command.request->refuse(*error);
    return true;
  }
  if (command.request->items.empty()) {
    command.request->answer();
    return true;
  }
  const bool ends = command.verb == SessionVerb::commit || command.verb == SessionVerb::rollback;
  if (!ends || state.transaction.phase() != Phase::fresh)
    return false;
  // Nothing was ever sent: there is nothing to commit.
  command.request->items.front().result = sdk::SqlResult{};
  command.request->answer();
  state.transaction.end();
  return true;
}

// The next one finds the connection as if it were new.
void leave(Self self) {
  auto& state = self->state;
  const auto& services = state.setup.services;
  if (state.in_doubt || !state.touched) {
    give_back(self, !state.in_doubt);
    return;
  }
  auto resets = services.driver->reset_sql(*services.settings);
  if (resets.empty()) {
    give_back(self, services.driver->keeps_connection(*services.settings));
    return;
  }
  auto entries = std::make_shared<std::vector<sdk::WireEntry>>();
  for (auto& sql : resets) {
    sdk::Statement reset{.sql = std::move(sql)};
    entries->push_back({.id = entries->size(),
                        .statement = std::make_shared<const sdk::Statement>(std::move(reset))});
  }
  state.resetting = true;
  state.missing = entries->size();
  self->send(state.setup.connection,
             StatementBurst{std::move(entries),
                            caf::actor_cast<BurstClient>(caf::actor_cast<SessionActor>(self))});
}

void take_reset(Self self, const std::vector<ItemAnswer>& answers) {
  auto& state = self->state;
  for (const auto& answer : answers) {
    state.in_doubt = state.in_doubt || !answer.result;
    if (state.missing > 0 && --state.missing == 0)
      give_back(self, !state.in_doubt);
  }
}

void run_next(Self self) {
  auto& state = self->state;
  while (!state.running && !state.commands.empty()) {
    auto command = std::move(state.commands.front());
    state.commands.pop_front();
    if (!answer_here(self, command)) {
      state.running = std::move(command);
      send(self, *state.running);
    }
  }
  if (state.running || state.resetting)
    return;
  if (state.transaction.phase() == Phase::ended) {
    leave(self);
  } else if (state.dropped) {
    state.commands.push_back({SessionVerb::rollback, rollback_request()});
    run_next(self);
  }
}

void finish(Self self) {
  auto& state = self->state;
  auto command = std::move(*state.running);
  state.running.reset();
  if (state.begin_error) {
    command.request->refuse(*state.begin_error);
    // Where BEGIN failed there is no transaction; whether the connection is as it was nobody knows.
    give_back(self, false);
    return;
  }
  for (auto& item : command.request->items) {
    if (!item.result)
      continue;
    const auto& sql = command.request->statements[item.statement]->sql;
    if (!*item.result && is_in_doubt(command.verb, item.result->error()))
      state.in_doubt = true;
    item.result = state.transaction.finished(command.verb, sql, std::move(*item.result));
  }
  command.request->answer();
  run_next(self);
}

void take(Self self, std::vector<ItemAnswer>& answers) {
  auto& state = self->state;
  if (state.resetting) {
    take_reset(self, answers);
    return;
  }
  for (auto& answer : answers) {
    if (!state.running || state.missing == 0)
      return;
    --state.missing;
    if (answer.id == begin_entry) {
      if (!answer.result)
        state.begin_error = answer.result.error();
    } else if (answer.id < state.running->request->items.size()) {
      state.running->request->items[answer.id].result = std::move(answer.result);
    }
  }
  if (state.running && state.missing == 0)
    finish(self);
}

// The server rolls back what it lost sight of, but for a COMMIT that was under way.
void give_up(Self self, const sdk::WireLoss& loss) {
  auto& state = self->state;
  const bool left = !loss.lists_all || std::ranges::any_of(loss.unanswered, [](const auto& entry) {
    return entry.phase != sdk::StatementPhase::queued;
  });
  const bool unsure = state.running && left && state.running->verb == SessionVerb::commit;
  // Nothing of it happened: the whole transaction may run again.
  sdk::Error::Detail detail{.code = loss.error.code().empty() ? "08006" : loss.error.code()};
  detail.retryable = !unsure;
  const sdk::Error lost{sdk::ErrorKind::connection,
                        "the connection was lost, and the transaction with it: "
                          + loss.error.message(),
                        std::move(detail)};
  if (state.running) {
    if (state.running->verb == SessionVerb::rollback)
      state.running->request->items.front().result = sdk::SqlResult{.command = "ROLLBACK"};
    state.running->request->answer(unsure ? outcome_unknown(loss.error) : lost);
  }
  for (auto& command : state.commands)
    command.request->refuse(lost);
  // While the connection is reset the transaction has ended as it was told.
  if (!state.resetting)
    state.setup.fate->decide(lost);
  state.transaction.end();
  self->quit(to_caf(loss.error));
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
    [self](BurstAnswered& answered) { take(self, *answered.answers); },
    [self](const ConnectionGone& gone) { give_up(self, *gone.loss); },
  };
}

}  // namespace millrace::actors::db
