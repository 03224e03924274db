#include "actors/statement_check.hpp"

#include "actors/databases.hpp"
#include "actors/engine_impl.hpp"
#include "actors/steps/bound_sql.hpp"
#include "actors/steps/statement_maker.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/compile/walk.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::actors {

namespace {

using sdk::Result;
using sdk::SqlResult;
using sdk::sql::StatementKind;

/// The transaction in which one statement is looked at.
Result<SqlResult> ask_and_roll_back(const DatabaseHandle& pool, sdk::Statement statement) {
  auto begun = std::make_shared<std::promise<Result<SessionHandle>>>();
  auto session = begun->get_future();
  pool.begin({.holder = "validate"},
             [begun](Result<SessionHandle> result) { begun->set_value(std::move(result)); });
  auto opened = session.get();
  if (!opened)
    return std::move(opened).error();
  auto answered = std::make_shared<std::promise<ExecuteReply>>();
  auto reply = answered->get_future();
  opened->execute(std::move(statement),
                  [answered](ExecuteReply result) { answered->set_value(std::move(result)); });
  auto results = std::move(reply.get().results);
  auto ended = std::make_shared<std::promise<void>>();
  opened->rollback([ended](const sdk::Status&) { ended->set_value(); });
  ended->get_future().wait();
  return std::move(results.front());
}

/// What asks the server for the meaning of `sql` and changes nothing; nothing where only running
/// it would tell.
std::optional<std::string> question_about(const std::string& sql) {
  const auto statement = sdk::sql::parse_statement(sql);
  if (!statement)
    return std::nullopt;
  const auto& kind = statement->classification;
  const bool selects = kind.keyword == "SELECT" || kind.keyword == "VALUES"
                       || kind.keyword == "WITH";
  if (kind.kind == StatementKind::query && selects && !kind.modifying_cte)
    return "SELECT * FROM (" + sql + "\n) AS millrace_check LIMIT 0";
  const bool explains = kind.kind == StatementKind::update && kind.keyword != "TRUNCATE";
  return explains ? std::optional{"EXPLAIN " + sql} : std::nullopt;
}

class Checker {
public:
  Checker(const dsl::Program& program, const Generation& generation, sdk::Diagnostics& diagnostics)
    : program_{program}, generation_{generation}, diagnostics_{diagnostics} {}

  StatementCheck run() {
    find_servers_that_are_down();
    for (const auto& pipeline : program_.pipelines) {
      if (pipeline.source.receive)
        check_source(pipeline.source);
      dsl::for_each_step(pipeline.steps,
                         [this](const dsl::StepProgram& step) { check_step(step); });
      if (pipeline.dead_letter)
        check_step(*pipeline.dead_letter);
    }
    check_.unreachable = down_.size();
    return check_;
  }

private:
  void find_servers_that_are_down() {
    for (std::size_t i = 0; i < program_.servers.size(); ++i) {
      if (!generation_.pools[i])
        continue;
      const auto answer = ask_and_roll_back(generation_.pools[i], {.sql = "SELECT 1"});
      if (answer)
        continue;
      down_.insert(i);
      const auto& server = program_.servers[i];
      diagnostics_.error(
        server.place, "server '" + server.name + "' cannot be asked: " + answer.error().message(),
        answer.error().hint());
    }
  }

  void check_source(const dsl::SourceProgram& source) {
    const auto& receive = *source.receive;
    if (!receive.query || receive.secret) {
      check_.left_out += receive.query ? 1 : 0;
      return;
    }
    const std::vector<sdk::sql::DriverLiteral> literals(receive.query->parameter_count);
    const auto sent = sdk::sql::rewrite(*receive.query, literals,
                                        dialect_of(program_.servers[receive.server]));
    if (!sent)
      return;
    const auto columns = look_at(receive.server, sent->sql, sdk::Parameters(sent->binds.size()),
                                 source.place, source.name);
    if (columns && !has(*columns, receive.mark_column))
      diagnostics_.error(source.place,
                         "step '" + source.name + "': the query gives no column '"
                           + receive.mark_column + "', which is its mark",
                         "it gives " + names_of(*columns));
  }

  void check_step(const dsl::StepProgram& step) {
    const auto* call = std::get_if<dsl::DatabaseCall>(&step.body);
    if (!call)
      return;
    if (call->copy) {
      check_copy(step, *call);
      return;
    }
    if (call->dynamic_sql || call->server_name || call->secret) {
      ++check_.left_out;
      return;
    }
    for (const auto& statement : call->statements) {
      const auto bound = BoundSql::make(*statement.sql, statement.parameters,
                                        dialect_of(program_.servers[call->server]));
      if (!bound)
        continue;  // the compiler has said so
      const auto columns = look_at(call->server, bound->sql(), bound->constants(), step.place,
                                   step.name);
      if (columns && call->statements.size() == 1)
        check_response(step, *columns);
    }
  }

  void check_copy(const dsl::StepProgram& step, const dsl::DatabaseCall& call) {
    if (call.secret || call.server_name) {
      ++check_.left_out;
      return;
    }
    std::string list;
    for (const auto& column : call.copy->columns)
      list += (list.empty() ? "" : ", ") + column;
    look_at(call.server, "SELECT " + (list.empty() ? "*" : list) + " FROM " + call.copy->table, {},
            step.place, step.name);
  }

  /// @returns the columns that it gives, where that is known.
  std::optional<std::vector<sdk::Column>> look_at(std::size_t server, const std::string& sql,
                                                  sdk::Parameters parameters,
                                                  const sdk::Place& place,
                                                  const std::string& step) {
    if (down_.contains(server))
      return std::nullopt;
    const auto question = question_about(sql);
    if (!question) {
      ++check_.left_out;
      return std::nullopt;
    }
    ++check_.checked;
    sdk::Statement statement{.sql = *question};
    statement.sets = {std::move(parameters)};
    const auto answer = ask_and_roll_back(generation_.pools[server], std::move(statement));
    if (!answer) {
      diagnostics_.error(place,
                         "step '" + step + "' on server '" + program_.servers[server].name
                           + "': " + answer.error().message(),
                         answer.error().hint());
      return std::nullopt;
    }
    if (question->starts_with("EXPLAIN"))
      return std::nullopt;
    return answer->shape->columns();
  }

  // `$.rows[0].name` takes a column; names that fit but for their case are found at run time.
  void check_response(const dsl::StepProgram& step, const std::vector<sdk::Column>& columns) {
    for (const auto& [name, value] : step.response) {
      const auto text = value ? value->text() : std::string{};
      const auto column = column_of(text);
      if (!column.empty() && !has(columns, column))
        report_column(step, name, column, columns);
    }
  }

  void report_column(const dsl::StepProgram& step, const std::string& name,
                     const std::string& column, const std::vector<sdk::Column>& columns) {
    diagnostics_.error(step.place,
                       "step '" + step.name + "': the response's '" + name + "' takes column '"
                         + column + "', which the query does not give",
                       "it gives " + names_of(columns));
  }

  static std::string column_of(std::string_view text) {
    constexpr std::string_view rows = "$.rows[";
    if (!text.starts_with(rows))
      return {};
    const auto end = text.find("].");
    if (end == std::string_view::npos)
      return {};
    const auto name = text.substr(end + 2);
    return std::string{name.substr(0, name.find_first_of(".[ "))};
  }

  static bool has(const std::vector<sdk::Column>& columns, const std::string& name) {
    return std::ranges::any_of(columns, [&](const sdk::Column& column) {
      return sdk::lower(column.name) == sdk::lower(name);
    });
  }

  static std::string names_of(const std::vector<sdk::Column>& columns) {
    std::string list;
    for (const auto& column : columns)
      list += (list.empty() ? "" : ", ") + column.name + " (" + column.type + ")";
    return list.empty() ? "no columns" : list;
  }

  const dsl::Program& program_;
  const Generation& generation_;
  sdk::Diagnostics& diagnostics_;
  std::set<std::size_t> down_;
  StatementCheck check_;
};

}  // namespace

StatementCheck check_statements(const std::shared_ptr<const dsl::Program>& program,
                                const EngineServices& services, sdk::Diagnostics& diagnostics) {
  SystemConfig config{EngineOptions{}};
  caf::actor_system system{config};
  EngineServices world = services;
  if (!world.log)
    world.log = &sdk::silent_log();
  if (!world.clock)
    world.clock = &sdk::system_clock();
  Generation generation;
  generation.program = program;
  StatementCheck check;
  if (auto opened = open_pools(system, generation, nullptr, world, 1); !opened)
    diagnostics.error({}, opened.error().message(), opened.error().hint());
  else
    check = Checker{*program, generation, diagnostics}.run();
  close_pools(generation, nullptr);
  generation.pools.clear();
  generation.databases.clear();
  diagnostics.sort();
  return check;
}

}  // namespace millrace::actors
