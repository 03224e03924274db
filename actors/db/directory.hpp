// DatabaseDirectory: databases named by their settings instead of a server's name. A pool is kept
// per resolved address and user, made at the first request, and closed when nobody has used it for
// its `max_idle`. Callable from any thread and actor.
//
//   DatabaseDirectory directory{system, {.find_driver = …, .reactor = &reactor}};
//   auto settings = settings_of_url("postgresql://app@db/orders");
//   directory.execute(*settings, std::move(statement), [](ExecuteReply reply) { … });
//   directory.close();          // before the system is awaited
#pragma once

#include "actors/db/database_handle.hpp"
#include "connectors/sdk/clock.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace caf {
class actor_system;
}

namespace millrace::actors {

using DatabaseSettingsPtr = std::shared_ptr<const sdk::DatabaseSettings>;

struct DirectorySetup {
  std::function<const sdk::DatabaseDriver*(std::string_view name)> find_driver;
  sdk::Reactor* reactor = nullptr;
  sdk::Log* log = &sdk::silent_log();
  const sdk::Clock* clock = &sdk::system_clock();
  std::size_t most_pools = 100;
};

namespace db {
struct DirectoryLink;
}

/// All that `setup` points to outlives it. The copies share it.
class DatabaseDirectory {
public:
  DatabaseDirectory(caf::actor_system& system, DirectorySetup setup);

  /// As DatabaseHandle's. Settings that cannot work are the statement's error (kind `config`), and
  /// so is one pool too many (`overloaded`).
  void execute(DatabaseSettingsPtr settings, sdk::Statement statement,
               std::function<void(ExecuteReply)> done) const;
  void begin(DatabaseSettingsPtr settings, sdk::TransactionOptions options,
             std::function<void(sdk::Result<SessionHandle>)> done) const;

  /// How many pools are open.
  void count(std::function<void(std::size_t)> done) const;

  /// Closes all pools. May be called twice.
  void close() const;

private:
  std::shared_ptr<db::DirectoryLink> link_;
};

/// The settings that a url alone says. @returns kind `config`, with all that is wrong with it.
sdk::Result<DatabaseSettingsPtr> settings_of_url(std::string_view url);

/// What tells one pool from another: the driver, the address, the user and how to get in. Secret.
std::string pool_key(const sdk::DatabaseSettings& settings);

}  // namespace millrace::actors
