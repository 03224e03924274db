#include "actors/db/session_end.hpp"

#include "actors/db/session_burst.hpp"
#include "connectors/sdk/sql/traces.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace millrace::actors::db {

namespace {

using namespace std::chrono_literals;

constexpr auto longest_search = 30s;  // for the outcome of a lost COMMIT
constexpr auto search_pause = 100ms;

void give_back(SessionSelf self) {
  auto& state = self->state;
  state.transaction.end();
  state.setup.line.route->lead_to(nullptr);
  self->send(state.setup.pool, SessionReturned{state.setup.id, !state.in_doubt && !state.demoted,
                                               self->address(), state.demoted});
  self->quit();
}

sdk::Error lost_error(const sdk::Error& loss, bool may_run_again) {
  sdk::Error::Detail detail{.code = loss.code().empty() ? "08006" : loss.code()};
  detail.retryable = may_run_again;
  return {sdk::ErrorKind::connection,
          "the connection was lost, and the transaction with it: " + loss.message(),
          std::move(detail)};
}

const sdk::UnansweredEntry* find_entry(const sdk::WireLoss& loss, std::uint64_t id) {
  const auto found = std::ranges::find(loss.unanswered, id, &sdk::UnansweredEntry::id);
  return found == loss.unanswered.end() ? nullptr : &*found;
}

/// What is known of a COMMIT when its connection is lost.
struct CommitTrace {
  enum class Kind : std::uint8_t { not_sent, committed, rolled_back, wrote_nothing, ask, unknown };

  Kind kind = Kind::unknown;
  std::string transaction = {};
};

CommitTrace trace_commit(const SessionState& state, const sdk::WireLoss& loss) {
  using Kind = CommitTrace::Kind;
  // Skipped, where what went ahead of it failed.
  if (state.ahead && state.ahead->request->items.front().result
      && !*state.ahead->request->items.front().result)
    return {Kind::rolled_back};
  if (!loss.lists_all)
    return state.number.empty() ? CommitTrace{Kind::unknown} : CommitTrace{Kind::ask, state.number};
  const auto* commit = find_entry(loss, 0);
  if (commit == nullptr || commit->phase == sdk::StatementPhase::queued)
    return {Kind::not_sent};
  if (commit->phase == sdk::StatementPhase::complete && commit->result) {
    // The server says so only when it is done.
    const auto done = commit->result->decode();
    return {done && done->command == "ROLLBACK" ? Kind::rolled_back : Kind::committed};
  }
  if (!state.number.empty())
    return {Kind::ask, state.number};
  const auto* number = find_entry(loss, number_entry);
  if (number == nullptr || !number->result)
    return {Kind::unknown};
  const auto row = number->result->decode();
  if (!row || row->rows.size() != 1)
    return {Kind::unknown};
  auto id = number_in(*row);
  if (id.empty())
    return {Kind::wrote_nothing};
  return {Kind::ask, std::move(id)};
}

void end_lost(SessionSelf self, const sdk::Error& loss) {
  self->state.transaction.end();
  self->quit(to_caf(loss));
}

// Where its answer has come the statement has that, whatever became of the COMMIT behind it.
void answer_lost_ahead(SessionState& state, const sdk::WireLoss& loss, CommitTrace::Kind commit) {
  const auto ahead = std::exchange(state.ahead, std::nullopt);
  if (!ahead)
    return;
  auto& item = ahead->request->items.front();
  const auto* entry = find_entry(loss, ahead_entry);
  if (!item.result && entry != nullptr && entry->phase == sdk::StatementPhase::complete
      && entry->result)
    item.result = entry->result->decode();
  ahead->request->answer(commit == CommitTrace::Kind::unknown ? sdk::outcome_unknown(loss.error)
                                                              : lost_error(loss.error, true));
}

// @returns whether the session has to live on, to ask for the outcome.
bool answer_lost_commit(SessionSelf self, const sdk::WireLoss& loss) {
  using Kind = CommitTrace::Kind;
  auto& state = self->state;
  auto& request = *state.running->request;
  auto trace = trace_commit(state, loss);
  answer_lost_ahead(state, loss, trace.kind);
  switch (trace.kind) {
  case Kind::committed:
    request.items.front().result = sdk::SqlResult{.command = "COMMIT"};
    request.answer();
    return false;
  case Kind::not_sent:
  case Kind::rolled_back:
  case Kind::wrote_nothing:
    request.answer(lost_error(loss.error, true));
    return false;
  case Kind::ask:
    state.lost_commit.emplace(LostCommit{state.running->request, std::move(trace.transaction),
                                         loss.error,
                                         state.setup.services.clock->now() + longest_search});
    state.running.reset();
    return true;
  case Kind::unknown:
    break;
  }
  state.setup.services.metrics->unknown_commits.add();
  request.answer(sdk::outcome_unknown(loss.error));
  return false;
}

}  // namespace

bool leaves_traces(const PoolServices& services, std::string_view sql) {
  if (services.driver->reset_sql(*services.settings).empty())
    return sdk::sql::leaves_traces(sql);
  // Functions and triggers leave traces that no text shows: only the catalog can tell.
  return !services.facts->clean.contains(sql, services.clock->now())
         || sdk::sql::leaves_traces(sql);
}

void add_resets(SessionState& state, std::vector<sdk::WireEntry>& entries) {
  const auto& services = state.setup.services;
  if (!state.touched || state.in_doubt)
    return;
  auto resets = services.driver->reset_sql(*services.settings);
  for (std::size_t i = 0; i < resets.size(); ++i) {
    sdk::Statement reset{.sql = std::move(resets[i])};
    entries.push_back({.id = first_reset_entry + i,
                       .statement = std::make_shared<const sdk::Statement>(std::move(reset)),
                       .sync = i + 1 == resets.size()});
  }
  state.resets = resets.size();
  if (resets.empty() && !services.driver->keeps_connection(*services.settings))
    state.in_doubt = true;  // only its end takes the traces away
}

void leave(SessionSelf self) {
  self->state.ending = true;
  if (self->state.resets == 0 || self->state.in_doubt)
    give_back(self);
}

void take_reset(SessionSelf self, const ItemAnswer& answer) {
  auto& state = self->state;
  state.in_doubt = state.in_doubt || !answer.result;
  if (state.resets > 0 && --state.resets == 0 && state.ending)
    give_back(self);
}

void lose_connection(SessionSelf self, const sdk::WireLoss& loss) {
  auto& state = self->state;
  if (state.lost_commit)
    return;
  const auto lost = lost_error(loss.error, true);
  bool lives_on = false;
  if (state.running && !state.cancelled) {
    if (state.running->verb == sdk::SessionVerb::commit) {
      lives_on = answer_lost_commit(self, loss);
    } else {
      if (state.running->verb == sdk::SessionVerb::rollback)
        state.running->request->items.front().result = sdk::SqlResult{.command = "ROLLBACK"};
      state.running->request->answer(lost);
    }
  }
  for (auto& command : std::exchange(state.commands, {}))
    command.request->refuse(lost);
  // While the connection is reset the transaction has ended as it was told.
  if (!state.ending)
    state.setup.fate->decide(lost);
  if (lives_on)
    ask_outcome(self);
  else
    end_lost(self, loss.error);
}

void ask_outcome(SessionSelf self) {
  auto& state = self->state;
  const auto& services = state.setup.services;
  sdk::Statement question{.sql = std::string{services.driver->transaction_outcome_sql()},
                          .sets = {{sdk::Value{state.lost_commit->transaction}}}};
  question.options.idempotent = true;
  auto request = std::make_shared<Request>(
    std::vector<sdk::Statement>{std::move(question)}, false,
    [session = caf::actor_cast<SessionActor>(self)](ExecuteReply reply) {
      caf::anon_send(session, CommitOutcome{std::make_shared<ExecuteReply>(std::move(reply))});
    });
  request->urgent = true;
  request->internal = true;
  self->send(state.setup.pool, ExecuteSql{std::move(request)});
}

void take_outcome(SessionSelf self, const ExecuteReply& reply) {
  auto& state = self->state;
  const auto& services = state.setup.services;
  auto& lost = *state.lost_commit;
  const auto& result = reply.results.front();
  std::string_view outcome;
  if (result && result->rows.size() == 1) {
    const auto* value = result->rows.items()[0].find("outcome");
    outcome = value == nullptr || value->is_null() ? "gone" : value->as_string();
  }
  if (outcome == "committed") {
    lost.request->items.front().result = sdk::SqlResult{.command = "COMMIT"};
    lost.request->answer();
  } else if (outcome == "aborted") {
    lost.request->answer(lost_error(lost.loss, true));
  } else if (const bool wait = outcome == "in progress" || (!result && result.error().retryable());
             wait && services.clock->now() < lost.give_up_at) {
    // The server still works on it, or cannot be reached yet.
    self->delayed_send(caf::actor_cast<SessionActor>(self), search_pause, SessionTick{});
    return;
  } else {
    services.metrics->unknown_commits.add();
    lost.request->answer(sdk::outcome_unknown(lost.loss));
  }
  services.log->info("outcome of a lost commit looked up",
                     {{"server", sdk::Value{services.settings->name}},
                      {"outcome", sdk::Value{outcome.empty() ? "unknown" : outcome}}});
  end_lost(self, sdk::Error{lost.loss});
}

}  // namespace millrace::actors::db
