#include "actors/db/session_burst.hpp"

#include "actors/db/echo.hpp"
#include "actors/db/session_end.hpp"

#include <string>
#include <utility>

namespace millrace::actors::db {

namespace {

using Phase = sdk::TransactionState::Phase;
using Entries = std::vector<sdk::WireEntry>;

std::shared_ptr<const sdk::Statement> own_statement(std::string sql) {
  return std::make_shared<const sdk::Statement>(sdk::Statement{.sql = std::move(sql)});
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
  const auto& options = state.setup.request->options;
  return !state.setup.services.driver->transaction_id_sql().empty() && !options.read_only
         && !options.plain;
}

bool can_number(const SessionState& state) {
  return wants_number(state) && state.number.empty()
         && state.setup.services.facts->numbers_transactions == PoolFacts::Answer::yes;
}

sdk::WireEntry number_question(const SessionState& state) {
  return {
    .id = number_entry,
    .statement = own_statement(std::string{state.setup.services.driver->transaction_id_sql()}),
    .sync = false};
}

// BEGIN, in front of the first command; and in front of that, once per pool, the question whether
// transactions can be numbered here: inside one a refusal would be its end.
void add_begin(SessionState& state, Entries& entries) {
  if (state.transaction.phase() != Phase::fresh)
    return;
  if (state.setup.request->options.plain) {
    state.transaction.begun();
    return;
  }
  if (wants_number(state)
      && state.setup.services.facts->numbers_transactions == PoolFacts::Answer::unknown) {
    entries.push_back(number_question(state));
    entries.back().id = probe_entry;
    entries.back().sync = true;
  }
  const auto& driver = *state.setup.services.driver;
  entries.push_back({.id = begin_entry,
                     .statement = own_statement(driver.begin_sql(state.setup.request->options)),
                     .sync = false});
  state.transaction.begun();
}

// Known before the server commits, so that the outcome can be looked up where the answer to the
// COMMIT is lost. It costs least behind a statement that writes; ahead of the COMMIT the answer
// has to be flushed on its own.
void add_number(SessionState& state, const SessionCommand& command, Entries& entries) {
  if (!can_number(state))
    return;
  if (command.verb == sdk::SessionVerb::commit && state.transaction.phase() == Phase::open) {
    entries.push_back(number_question(state));
    entries.back().flush = true;
    return;
  }
  const auto& statement = *command.request->statements.back();
  if (command.verb != sdk::SessionVerb::execute || state.number_asked || entries.empty()
      || statement.bulk || statement.stream
      || !state.setup.services.facts->clean.writes(statement.sql))
    return;
  state.number_asked = true;
  entries.back().sync = false;
  entries.push_back(number_question(state));
  entries.back().sync = true;
}

std::vector<std::shared_ptr<const sdk::Statement>> statements_of(SessionState& state,
                                                                 const SessionCommand& command) {
  // A failure that the server has not seen (a parameter that could not be sent) fails the
  // transaction all the same.
  if (command.verb == sdk::SessionVerb::commit && state.transaction.phase() == Phase::failed)
    return rollback_request()->statements;
  const auto& services = state.setup.services;
  std::vector<std::shared_ptr<const sdk::Statement>> statements;
  statements.reserve(command.request->statements.size());
  for (const auto& statement : command.request->statements) {
    statements.push_back(within(state, statement));
    echo(*statement, "transaction", *services.settings, *services.log);
    if (command.verb == sdk::SessionVerb::execute && !state.touched)
      state.touched = !statement->bulk && leaves_traces(services, statement->sql);
  }
  return statements;
}

}  // namespace

bool ends_transaction(sdk::SessionVerb verb) {
  return verb == sdk::SessionVerb::commit || verb == sdk::SessionVerb::rollback;
}

RequestPtr rollback_request() {
  return std::make_shared<Request>(std::vector<sdk::Statement>{{.sql = "ROLLBACK"}}, false,
                                   [](const ExecuteReply&) {});
}

bool travels_with(const SessionState& state, const SessionCommand& command,
                  const SessionCommand& next) {
  if (command.verb != sdk::SessionVerb::execute || next.verb != sdk::SessionVerb::commit
      || command.request->items.size() != 1 || state.setup.request->options.plain || state.touched)
    return false;
  const auto& statement = *command.request->statements.front();
  // What resets the connection behind the COMMIT must not run where that was skipped.
  return !statement.bulk && !statement.stream && statement.listener.expired()
         && !leaves_traces(state.setup.services, statement.sql);
}

void send_entries(const SessionState& state, std::vector<sdk::WireEntry> entries) {
  const auto wire = state.setup.line.wire.lock();
  if (wire && !entries.empty())
    wire->send(std::move(entries));
}

void send_running(SessionSelf self) {
  auto& state = self->state;
  const auto& command = *state.running;
  state.setup.pulse->work();
  Entries entries;
  entries.reserve(4 + command.request->items.size());
  add_begin(state, entries);
  if (state.ahead)
    entries.push_back({.id = ahead_entry,
                       .statement = statements_of(state, *state.ahead).front(),
                       .set = state.ahead->request->items.front().set,
                       .sync = false});
  if (command.verb == sdk::SessionVerb::commit)
    add_number(state, command, entries);
  const auto statements = statements_of(state, command);
  const auto& items = command.request->items;
  for (std::size_t i = 0; i < items.size(); ++i)
    entries.push_back({.id = i, .statement = statements[items[i].statement], .set = items[i].set});
  if (command.verb == sdk::SessionVerb::execute)
    add_number(state, command, entries);
  state.missing = entries.size();
  if (ends_transaction(command.verb))
    add_resets(state, entries);
  send_entries(state, std::move(entries));
}

std::string number_in(const sdk::SqlResult& result) {
  if (result.rows.size() != 1)
    return {};
  const auto* id = result.rows.items()[0].find("id");
  return id == nullptr || id->is_null() ? std::string{} : std::string{id->as_string()};
}

}  // namespace millrace::actors::db
