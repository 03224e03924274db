#include "actors/db/session.hpp"

#include "actors/db/connection.hpp"
#include "actors/db/session_burst.hpp"
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

constexpr auto cancel_limit = 2s;  // what does not end by then has lost its connection

// A deferred constraint or a conflict fails a COMMIT and ends the transaction all the same. After
// another failure nobody knows.
bool is_in_doubt(sdk::SessionVerb verb, const sdk::Error& error) {
  if (verb == sdk::SessionVerb::rollback)
    return true;
  return verb == sdk::SessionVerb::commit && !error.code().starts_with("23")
         && !error.code().starts_with("40");
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
  send_running(self);
}

void run_next(Self self) {
  auto& state = self->state;
  if (state.lost_commit)
    return;  // what comes now is answered when the session ends
  while (!state.running && !state.commands.empty()) {
    auto command = std::move(state.commands.front());
    state.commands.pop_front();
    if (answer_here(self, command))
      continue;
    if (!state.commands.empty() && travels_with(state, command, state.commands.front())) {
      state.ahead = std::exchange(command, std::move(state.commands.front()));
      state.commands.pop_front();
    }
    state.running = std::move(command);
    send_running(self);
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

void finish_items(SessionState& state, const SessionCommand& command) {
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
}

void finish(Self self) {
  auto& state = self->state;
  auto command = std::move(*state.running);
  state.running.reset();
  state.cancelled = false;
  const auto ahead = std::exchange(state.ahead, std::nullopt);
  if (state.begin_error) {
    if (ahead)
      ahead->request->refuse(*state.begin_error);
    command.request->refuse(*state.begin_error);
    // Where BEGIN failed there is no transaction; whether the connection is as it was nobody knows.
    state.in_doubt = true;
    leave(self);
    return;
  }
  if (ahead) {
    finish_items(state, *ahead);
    if (state.transaction.phase() == Phase::failed) {
      // The COMMIT was skipped with it: it goes its own way, and finds that nothing can be
      // committed.
      command.request->items.front().result.reset();
      state.commands.push_front(std::move(command));
      ahead->request->answer();
      run_next(self);
      return;
    }
  }
  finish_items(state, command);
  if (ahead)
    ahead->request->answer();
  command.request->answer();
  run_next(self);
}

void take(Self self, std::vector<sdk::WireAnswer>& raw) {
  auto& state = self->state;
  const auto wire = state.setup.line.wire.lock();
  if (!wire)
    return;  // its connection's actor has ended: that comes next
  auto answers = decode(raw, *wire);
  for (auto& answer : answers) {
    if (answer.id >= first_reset_entry && answer.id < ahead_entry) {
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
    } else if (answer.id == number_entry) {
      if (answer.result)
        state.number = number_in(*answer.result);
    } else if (answer.id == ahead_entry && state.ahead) {
      state.ahead->request->items.front().result = std::move(answer.result);
    } else if (answer.id < state.running->request->items.size()) {
      state.running->request->items[answer.id].result = std::move(answer.result);
    }
    if (--state.missing == 0)
      finish(self);
  }
}

void cancel(const SessionState& state) {
  if (const auto wire = state.setup.line.wire.lock())
    wire->cancel();
}

void close(const SessionState& state) {
  if (const auto wire = state.setup.line.wire.lock())
    wire->close();
}

// A COMMIT or ROLLBACK that is under way decides by itself.
void expire(Self self, const sdk::Error& error) {
  auto& state = self->state;
  if (state.ending || state.expired || state.lost_commit
      || state.transaction.phase() == Phase::ended
      || (state.running && !state.ahead && ends_transaction(state.running->verb)))
    return;
  state.expired = error;
  state.setup.fate->decide(error);
  if (state.ahead) {
    // The cancel hits the statement, and the COMMIT is skipped; or it comes too late. The answers
    // tell.
    state.in_doubt = true;
    cancel(state);
    self->delayed_send(caf::actor_cast<SessionActor>(self), cancel_limit, SessionTick{});
  } else if (state.running) {
    // Answered now, whatever the server does. A cancel may hit what comes next on the connection,
    // so nobody else gets that.
    state.running->request->refuse(error);
    state.cancelled = true;
    state.in_doubt = true;
    cancel(state);
    self->delayed_send(caf::actor_cast<SessionActor>(self), cancel_limit, SessionTick{});
  } else {
    run_next(self);
  }
}

void look_again(Self self) {
  auto& state = self->state;
  if (state.lost_commit)
    ask_outcome(self);
  else if (state.cancelled || state.ahead)
    close(state);
}

}  // namespace

SessionActor::behavior_type session(Self self, SessionSetup setup) {
  report_exceptions(self);
  self->state.setup = std::move(setup);
  self->monitor(self->state.setup.connection);
  self->state.setup.line.route->lead_to(
    caf::actor_cast<caf::strong_actor_ptr>(caf::actor_cast<SessionActor>(self)));
  send_entries(self->state, std::exchange(self->state.setup.entries, {}));
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
      auto& state = self->state;
      state.commands.push_back(command);
      // A COMMIT that is in the mailbox already goes along.
      if (!state.running && !std::exchange(state.about_to_run, true))
        self->send(caf::actor_cast<SessionActor>(self), SessionGo{});
    },
    [self](SessionGo) {
      self->state.about_to_run = false;
      run_next(self);
    },
    [self](SessionDropped) {
      self->state.dropped = true;
      run_next(self);
    },
    [self](const SessionExpired& expired) { expire(self, expired.error); },
    [self](SessionTick) { look_again(self); },
    [self](const CommitOutcome& outcome) { take_outcome(self, *outcome.reply); },
    [self](WireAnswered& answered) { take(self, *answered.answers); },
    [self](const ConnectionGone& gone) { lose_connection(self, *gone.loss); },
  };
}

}  // namespace millrace::actors::db
