#include "actors/db/directory.hpp"

#include "actors/db/pool_table.hpp"
#include "actors/db/protocol.hpp"
#include "actors/db/spawn.hpp"
#include "connectors/sdk/config_reader.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace millrace::actors::db {

struct DirectoryRequest {
  std::function<void(const sdk::Result<DatabaseHandle>&)> use;
  DatabaseSettingsPtr settings;
};

struct PoolSeen {
  std::string key;
  std::uint64_t use = 0;
  PoolInfo info;
};

struct DirectoryTick {};

struct CountPools {
  std::function<void(std::size_t)> done;
};

using DirectoryActor = caf::typed_actor<
  // Finds or makes the pool, and gives it what is asked for.
  caf::reacts_to<DirectoryRequest>,
  // What a pool that seems to be of no use says of itself.
  caf::reacts_to<PoolSeen>, caf::reacts_to<DirectoryTick>, caf::reacts_to<CountPools>,
  caf::reacts_to<Close>>;

struct DirectoryLink {
  DirectoryActor actor;
};

namespace {

struct DirectoryState {
  static const char* name;  // NOLINT(readability-identifier-naming): CAF's

  DirectorySetup setup;
  std::optional<PoolTable<DatabaseHandle>> pools;
  std::optional<sdk::Instant> armed_for;
};

const char* DirectoryState::name = "db.directory";

using Self = DirectoryActor::stateful_pointer<DirectoryState>;

DirectoryActor handle_of(Self self) {
  return caf::actor_cast<DirectoryActor>(self);
}

void arm(Self self) {
  auto& state = self->state;
  const auto next = state.pools->next_tick();
  if (!next || (state.armed_for && *state.armed_for <= *next))
    return;
  state.armed_for = next;
  const auto delay = *next - state.setup.clock->now();
  self->delayed_send(handle_of(self), std::chrono::duration_cast<caf::timespan>(delay),
                     DirectoryTick{});
}

sdk::Result<DatabaseHandle> pool_for(Self self, const DatabaseSettingsPtr& settings) {
  auto& state = self->state;
  const auto now = state.setup.clock->now();
  const auto key = pool_key(*settings);
  if (auto* known = state.pools->find(key, now))
    return *known;
  const auto* driver = state.setup.find_driver(settings->driver);
  if (driver == nullptr)
    return sdk::Error{sdk::ErrorKind::config,
                      "there is no database driver '" + settings->driver + "'",
                      {.hint = "see `millrace list connectors`"}};
  if (state.pools->full())
    return sdk::Error{sdk::ErrorKind::overloaded,
                      "as many databases are open as may: "
                        + std::to_string(state.setup.most_pools),
                      {.hint = "name servers in the file, or use fewer different addresses"}};
  auto pool = spawn_pool(self->system(), {.driver = driver,
                                          .settings = settings,
                                          .reactor = state.setup.reactor,
                                          .log = state.setup.log,
                                          .clock = state.setup.clock});
  if (!pool)
    return pool.error();
  return state.pools->insert(key, std::move(*pool), settings->pool.max_idle, now);
}

void look_at_idle(Self self) {
  auto& state = self->state;
  state.armed_for.reset();
  for (const auto& idle : state.pools->idle(state.setup.clock->now()))
    idle.pool.pool_info([self = handle_of(self), key = idle.key, use = idle.use](PoolInfo info) {
      caf::anon_send(self, PoolSeen{key, use, info});
    });
  arm(self);
}

DirectoryActor::behavior_type directory(Self self, DirectorySetup setup) {
  report_exceptions(self);
  self->state.pools.emplace(setup.most_pools);
  self->state.setup = std::move(setup);
  return {
    [self](const DirectoryRequest& request) {
      request.use(pool_for(self, request.settings));
      arm(self);
    },
    [self](const PoolSeen& seen) {
      if (seen.info.open > 0 || seen.info.checked_out > 0)
        return;
      if (const auto pool = self->state.pools->take_unused(seen.key, seen.use))
        pool->drain([] {});
    },
    [self](DirectoryTick) { look_at_idle(self); },
    [self](const CountPools& count) { count.done(self->state.pools->size()); },
    [self](Close) {
      for (const auto& pool : self->state.pools->take_all())
        pool.close();
      self->quit();
    },
  };
}

}  // namespace

}  // namespace millrace::actors::db

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::DirectoryRequest)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::PoolSeen)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::DirectoryTick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(millrace::actors::db::CountPools)

namespace millrace::actors {

namespace {

sdk::Error closed() {
  return {sdk::ErrorKind::connection, "the database directory is closed"};
}

// What is owed to a caller; where the directory is gone they answer for themselves.
struct OwedReply {
  OwedReply(sdk::Statement wanted, std::function<void(ExecuteReply)> callback)
    : statement{std::move(wanted)}, done{std::move(callback)} {}

  OwedReply(const OwedReply&) = delete;
  OwedReply& operator=(const OwedReply&) = delete;

  ~OwedReply() {
    if (done)
      refuse(closed());
  }

  void refuse(const sdk::Error& error) {
    ExecuteReply reply;
    for (std::size_t i = 0; i < statement.sets.size(); ++i)
      reply.results.emplace_back(error);
    std::exchange(done, nullptr)(std::move(reply));
  }

  sdk::Statement statement;
  std::function<void(ExecuteReply)> done;
};

struct OwedSession {
  OwedSession(sdk::TransactionOptions wanted,
              std::function<void(sdk::Result<SessionHandle>)> callback)
    : options{std::move(wanted)}, done{std::move(callback)} {}

  OwedSession(const OwedSession&) = delete;
  OwedSession& operator=(const OwedSession&) = delete;

  ~OwedSession() {
    if (done)
      done(closed());
  }

  sdk::TransactionOptions options;
  std::function<void(sdk::Result<SessionHandle>)> done;
};

}  // namespace

DatabaseDirectory::DatabaseDirectory(caf::actor_system& system, DirectorySetup setup)
  : link_{std::make_shared<db::DirectoryLink>(
    db::DirectoryLink{system.spawn(db::directory, std::move(setup))})} {
}

void DatabaseDirectory::execute(DatabaseSettingsPtr settings, sdk::Statement statement,
                                std::function<void(ExecuteReply)> done) const {
  auto owed = std::make_shared<OwedReply>(std::move(statement), std::move(done));
  caf::anon_send(link_->actor,
                 db::DirectoryRequest{[owed](const sdk::Result<DatabaseHandle>& pool) {
                                        if (pool)
                                          pool->execute(std::move(owed->statement),
                                                        std::exchange(owed->done, nullptr));
                                        else
                                          owed->refuse(pool.error());
                                      },
                                      std::move(settings)});
}

void DatabaseDirectory::begin(DatabaseSettingsPtr settings, sdk::TransactionOptions options,
                              std::function<void(sdk::Result<SessionHandle>)> done) const {
  auto owed = std::make_shared<OwedSession>(std::move(options), std::move(done));
  caf::anon_send(link_->actor,
                 db::DirectoryRequest{[owed](const sdk::Result<DatabaseHandle>& pool) {
                                        auto answer = std::exchange(owed->done, nullptr);
                                        if (pool)
                                          pool->begin(owed->options, std::move(answer));
                                        else
                                          answer(pool.error());
                                      },
                                      std::move(settings)});
}

void DatabaseDirectory::count(std::function<void(std::size_t)> done) const {
  caf::anon_send(link_->actor, db::CountPools{std::move(done)});
}

void DatabaseDirectory::close() const {
  caf::anon_send(link_->actor, db::Close{});
}

sdk::Result<DatabaseSettingsPtr> settings_of_url(std::string_view url) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::mapping;
  sdk::ConfigNode text;
  text.kind = sdk::ConfigNode::Kind::scalar;
  text.text = url;
  text.quoted = true;
  text.secret = true;
  node.entries.push_back({"url", {}, std::move(text)});
  sdk::Diagnostics diagnostics;
  sdk::ConfigReader reader{node, "the database's address", diagnostics};
  auto settings = std::make_shared<sdk::DatabaseSettings>();
  sdk::read_database_settings(reader, *settings);
  reader.finish();
  if (!diagnostics.has_errors()) {
    settings->name = settings->dbname.empty() ? settings->driver : settings->dbname;
    return DatabaseSettingsPtr{std::move(settings)};
  }
  std::string message;
  for (const auto& one : diagnostics.all())
    message += (message.empty() ? "" : "; ") + one.message;
  return sdk::Error{sdk::ErrorKind::config, std::move(message)};
}

std::string pool_key(const sdk::DatabaseSettings& settings) {
  std::string key;
  const auto add = [&key](std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  };
  add(settings.driver);
  for (const auto& host : settings.hosts) {
    add(host.host);
    add(std::to_string(host.port));
  }
  key += '/';
  add(settings.user);
  add(settings.password.reveal());
  add(settings.dbname);
  add(settings.target_session_attrs);
  for (const auto& [name, value] : settings.parameters) {
    add(name);
    add(value);
  }
  return key;
}

}  // namespace millrace::actors
