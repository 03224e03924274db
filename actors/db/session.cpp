#include "actors/db/session.hpp"

#include <algorithm>
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

void give_back(Self self, bool clean) {
  self->state.transaction.end();
  self->send(self->state.setup.pool, SessionReturned{self->state.setup.id, clean, self->address()});
  self->quit();
}

// A timeout that one statement sets holds until the transaction ends; the next ones say theirs
// again.
std::shared_ptr<const sdk::Statement>
with_timeout(SessionState& state, std::shared_ptr<const sdk::Statement> statement) {
  if (statement->options.timeout) {
    state.timeout_set = true;
    return statement;
  }
  if (!state.timeout_set)
    return statement;
  auto copy = std::make_shared<sdk::Statement>(*statement);
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
  for (const auto& statement : command.request->statements)
    statements.push_back(with_timeout(state, statement));
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
  if (state.running)
    return;
  if (state.transaction.phase() == Phase::ended) {
    give_back(self, true);
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
    item.result = state.transaction.finished(command.verb, sql, std::move(*item.result));
  }
  command.request->answer();
  run_next(self);
}

void take(Self self, std::vector<ItemAnswer>& answers) {
  auto& state = self->state;
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
  sdk::Error lost{sdk::ErrorKind::connection,
                  "the connection was lost, and the transaction with it: " + loss.error.message(),
                  {.code = loss.error.code().empty() ? "08006" : loss.error.code()}};
  if (state.running) {
    const bool left = !loss.lists_all
                      || std::ranges::any_of(loss.unanswered, [](const auto& entry) {
                           return entry.phase != sdk::StatementPhase::queued;
                         });
    const bool unsure = left && state.running->verb == SessionVerb::commit;
    const bool rolled_back = state.running->verb == SessionVerb::rollback;
    if (rolled_back)
      state.running->request->items.front().result = sdk::SqlResult{.command = "ROLLBACK"};
    state.running->request->answer(unsure ? outcome_unknown(loss.error) : lost);
  }
  for (auto& command : state.commands)
    command.request->refuse(lost);
  state.transaction.end();
  state.setup.fate->decide(lost);
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
