#include "actors/sources/database_source.hpp"

#include "actors/sources/listen_source.hpp"
#include "actors/sources/poll_source.hpp"
#include "actors/steps/statement_maker.hpp"

#include <utility>

namespace millrace::actors {

sdk::SourceFactory database_source(std::shared_ptr<const dsl::DatabaseReceive> receive,
                                   const StageEnv& env) {
  const auto dialect = dialect_of(env.program->servers[receive->server]);
  const auto& database = (*env.databases)[receive->server];
  return [receive = std::move(receive), dialect, database]() -> sdk::SourcePtr {
    if (receive->query)
      return std::make_unique<PollSource>(receive, dialect, database);
    return std::make_unique<ListenSource>(receive, database);
  };
}

}  // namespace millrace::actors
