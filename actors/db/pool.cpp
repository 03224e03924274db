#include "actors/db/pool.hpp"

#include "actors/db/connection.hpp"
#include "actors/db/echo.hpp"
#include "actors/db/health.hpp"
#include "actors/db/session.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace millrace::actors::db {

const char* PoolState::name = "db.pool";

PoolState::~PoolState() {
  services.inbox->close();
}

namespace {

using Self = PoolActor::stateful_pointer<PoolState>;

PoolLimits limits_of(const PoolServices& services) {
  const auto& settings = *services.settings;
  const auto& driver = *services.driver;
  PoolLimits limits{.pool = settings.pool, .retry = settings.retry, .server = settings.name};
  limits.connections = std::min(settings.pool.limit(), driver.connection_limit(settings));
  limits.lane = std::min(settings.pool.lane_limit(), driver.lane_limit(settings));
  limits.writing_sessions = driver.writing_session_limit(settings);
  limits.keeps_connection = driver.keeps_connection(settings);
  limits.wants_writes = settings.target_session_attrs == "read-write"
                        || settings.target_session_attrs == "primary";
  limits.idle_in_transaction = settings.idle_in_transaction;
  limits.metrics = services.metrics;
  limits.clean = {services.facts, &services.facts->clean};
  limits.inspector = driver.inspector(settings);
  limits.batching = settings.batching && limits.inspector != nullptr;
  limits.statement_timeout = settings.statement_timeout;
  limits.reset_sql = driver.reset_sql(settings);
  for (const auto use :
       {sdk::ConnectionUse::exclusive, sdk::ConnectionUse::reads, sdk::ConnectionUse::writes})
    limits.use_sql[static_cast<std::size_t>(use)] = driver.use_sql(settings, use);
  if (settings.pool.lane_connections == 0)
    limits.lane = std::min(limits.lane, std::max(1U, limits.connections / 4));
  return limits;
}

PoolActor handle_of(Self self) {
  return caf::actor_cast<PoolActor>(self);
}

void carry_out(Self self, OpenConnection open) {
  auto& state = self->state;
  auto actor = self->spawn(connection, open.id, handle_of(self), state.services);
  self->monitor(actor);
  state.connection_of.emplace(actor.address(), open.id);
  state.connections.emplace(open.id, std::move(actor));
}

void carry_out(Self self, CloseConnection close) {
  const auto found = self->state.connections.find(close.id);
  if (found != self->state.connections.end())
    self->send(found->second, CloseWire{});
}

// Straight to the wire: what comes back is decoded by the connection's actor.
void carry_out(Self self, SendEntries& send) {
  const auto found = self->state.lines.find(send.id);
  if (found == self->state.lines.end())
    return;
  if (const auto wire = found->second.wire.lock())
    wire->send(std::move(send.entries));
}

void carry_out(Self self, GrantSession& grant) {
  auto& state = self->state;
  const auto found = state.connections.find(grant.id);
  if (found == state.connections.end())
    return;
  SessionSetup setup{grant.id,       found->second, state.lines[grant.id],    handle_of(self),
                     state.services, grant.request, std::move(grant.entries), grant.pulse};
  const auto fate = setup.fate;
  auto actor = self->spawn(session, std::move(setup));
  self->monitor(actor);
  state.session_on.emplace(actor.address(), grant.id);
  state.lent_to.insert_or_assign(grant.id, actor);
  grant.request->answer(SessionHandle{std::make_shared<SessionLink>(std::move(actor), fate)});
}

void carry_out(Self self, const ExpireSession& expire) {
  const auto found = self->state.lent_to.find(expire.id);
  if (found != self->state.lent_to.end())
    self->send(found->second, SessionExpired{expire.error});
}

void carry_out(Self self, const ReportLeak& leak) {
  const auto& services = self->state.services;
  const auto fields = {
    sdk::LogField{"server", sdk::Value{services.settings->name}},
    sdk::LogField{"holder", sdk::Value{leak.holder.empty() ? "unknown" : leak.holder}},
    sdk::LogField{"held_ms", sdk::Value{leak.held.count()}}};
  if (leak.returned)
    services.log->info("session returned that had been held for too long", fields);
  else
    services.log->warn("session held for too long", fields);
}

void carry_out(Self self, const ReportDamage& damage) {
  self->state.services.log->error("database damaged",
                                  {{"server", sdk::Value{self->state.services.settings->name}},
                                   {"sqlstate", sdk::Value{damage.error.code()}},
                                   {"reason", sdk::Value{damage.error.message()}}});
}

void carry_out(Self self, const ReportRetry& retry) {
  const auto& services = self->state.services;
  services.log->debug("statement failed and is tried again",
                      {{"server", sdk::Value{services.settings->name}},
                       {"sqlstate", sdk::Value{retry.sqlstate}},
                       {"kind", sdk::Value{sdk::to_string(retry.kind)}},
                       {"attempt", sdk::Value{retry.attempt}},
                       {"wait_ms", sdk::Value{retry.wait.count()}}});
}

void arm(Self self, sdk::Instant now) {
  auto& state = self->state;
  const auto next = state.core->next_tick();
  // An earlier tick than the next one does no harm; it arms again.
  if (!next || (state.armed_for && *state.armed_for <= *next))
    return;
  state.armed_for = next;
  const auto delay = std::max<sdk::Instant::duration>(*next - now, std::chrono::milliseconds{1});
  self->delayed_send(handle_of(self), std::chrono::duration_cast<caf::timespan>(delay),
                     PoolTick{++state.epoch});
}

void log_state(Self self) {
  auto& state = self->state;
  const auto& down = state.core->down_reason();
  if (down.has_value() == state.was_down)
    return;
  state.was_down = down.has_value();
  if (down)
    state.services.log->error("database unreachable",
                              {{"server", sdk::Value{state.services.settings->name}},
                               {"reason", sdk::Value{down->to_string()}}});
  else
    state.services.log->info("database reachable again",
                             {{"server", sdk::Value{state.services.settings->name}}});
}

// Ends the pool: everybody is answered, the connections end by themselves.
void shut(Self self, const sdk::Error& error) {
  auto& state = self->state;
  const auto held = state.core->info().checked_out;
  if (held > 0)
    state.services.log->warn(
      "pool closed with transactions open",
      {{"server", sdk::Value{state.services.settings->name}}, {"checked_out", sdk::Value{held}}});
  state.core->shut(error);
  static_cast<void>(state.core->take_actions());
  for (const auto& [id, actor] : state.connections)
    self->send(actor, CloseWire{.at_once = true});
  state.connections.clear();
  state.lines.clear();
  for (const auto& done : std::exchange(state.drained, {}))
    done();
  self->quit();
}

// What the core decided since the last message.
void settle(Self self, sdk::Instant now) {
  auto& state = self->state;
  for (auto& action : state.core->take_actions())
    std::visit([self](auto& what) { carry_out(self, what); }, action);
  state.services.metrics->show(state.core->info());
  log_state(self);
  if (!state.drained.empty() && state.core->drained())
    shut(self, {sdk::ErrorKind::connection, "the database pool is closed"});
  else
    arm(self, now);
}

sdk::Instant now_of(Self self) {
  return self->state.services.clock->now();
}

void forget(Self self, ConnectionId id) {
  const auto found = self->state.connections.find(id);
  if (found == self->state.connections.end())
    return;
  self->state.connection_of.erase(found->second.address());
  self->state.connections.erase(found);
  self->state.lines.erase(id);
  self->state.lent_to.erase(id);
}

void lose(Self self, ConnectionId id, const sdk::WireLoss& loss) {
  if (!self->state.connections.contains(id))
    return;
  const auto now = now_of(self);
  self->state.services.log->debug("connection ended",
                                  {{"server", sdk::Value{self->state.services.settings->name}},
                                   {"reason", sdk::Value{loss.error.to_string()}}});
  forget(self, id);
  self->state.core->lost(id, loss, now);
  settle(self, now);
}

void on_down(Self self, const caf::down_msg& down) {
  auto& state = self->state;
  if (const auto found = state.session_on.find(down.source); found != state.session_on.end()) {
    // It gave its connection back before it ended, or it crashed and did not; its word is in the
    // mailbox.
    const auto lent = state.lent_to.find(found->second);
    if (lent != state.lent_to.end() && lent->second.address() == down.source)
      self->send(handle_of(self), SessionReturned{found->second, false, down.source});
    state.session_on.erase(found);
  } else if (const auto connection = state.connection_of.find(down.source);
             connection != state.connection_of.end()) {
    self->send(handle_of(self), ReapConnection{connection->second});
  }
}

}  // namespace

PoolActor::behavior_type pool(Self self, PoolServices services) {
  report_exceptions(self);
  auto& state = self->state;
  state.services = std::move(services);
  const auto seed = state.services.seed != 0 ? state.services.seed : std::random_device{}();
  state.core.emplace(limits_of(state.services), seed);
  self->set_down_handler([self](const caf::down_msg& down) { on_down(self, down); });
  state.core->start(now_of(self));
  settle(self, now_of(self));
  return {
    [self](const ExecuteSql& execute) {
      const auto now = now_of(self);
      self->state.core->submit(execute.request, now);
      settle(self, now);
    },
    [self](TakeRequests) {
      const auto now = now_of(self);
      const auto& ours = self->state.services;
      auto requests = ours.inbox->take();
      if (ours.settings->echo) {
        for (const auto& request : requests) {
          for (const auto& statement : request->statements)
            echo(*statement, "shared lane", *ours.settings, *ours.log);
        }
      }
      self->state.core->submit(std::move(requests), now);
      settle(self, now);
    },
    [self](const BeginTransaction& begin) {
      const auto now = now_of(self);
      self->state.core->submit(begin.request, now);
      settle(self, now);
    },
    [self](const GetPoolInfo& ask) {
      auto info = self->state.core->info();
      info.by_statement = self->state.core->statements(now_of(self));
      info.transactions = self->state.core->transactions(now_of(self));
      ask.done(std::move(info));
    },
    [self](const HealthCheck& check) {
      const auto now = now_of(self);
      self->state.core->submit(health_request(check.done, self->state.services), now);
      settle(self, now);
    },
    [self](const Drain& drain) {
      const auto now = now_of(self);
      self->state.drained.push_back(drain.done);
      self->state.core->drain(now);
      settle(self, now);
    },
    [self](Close) {
      shut(self, {sdk::ErrorKind::connection, "the database pool was closed"});
    },
    [self](const ConnectionUp& up) {
      const auto now = now_of(self);
      self->state.lines.insert_or_assign(up.id, up.line);
      self->state.core->connected(up.id, now);
      settle(self, now);
    },
    [self](BurstAnswered& answered) {
      const auto now = now_of(self);
      self->state.core->answered(answered.id, std::move(*answered.answers), now);
      settle(self, now);
    },
    [self](const ConnectionGone& gone) { lose(self, gone.id, *gone.loss); },
    [self](const SessionReturned& returned) {
      const auto lent = self->state.lent_to.find(returned.id);
      if (lent == self->state.lent_to.end() || lent->second.address() != returned.session)
        return;  // it gave it back before, and somebody else has it now
      self->state.lent_to.erase(lent);
      const auto now = now_of(self);
      if (returned.demoted)
        self->state.core->leave_servers(now);
      self->state.core->released(returned.id, returned.clean, now);
      settle(self, now);
    },
    [self](PoolTick tick) {
      if (tick.epoch == self->state.epoch)
        self->state.armed_for.reset();
      const auto now = now_of(self);
      self->state.core->tick(now);
      settle(self, now);
    },
    [self](ReapConnection reap) {
      sdk::WireLoss loss{sdk::Error{sdk::ErrorKind::crash, "the connection's actor died"}};
      loss.lists_all = false;
      lose(self, reap.id, loss);
    },
  };
}

}  // namespace millrace::actors::db
