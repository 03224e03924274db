// The operations of `type: database`: what each accepts, and what it compiles to.
#include "connectors/sdk/database_settings.hpp"
#include "dsl/compile/copy_reader.hpp"
#include "dsl/compile/crud_reader.hpp"
#include "dsl/compile/database_server.hpp"
#include "dsl/compile/named_server.hpp"
#include "dsl/compile/statement_reader.hpp"

#include <array>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;
using sdk::sql::StatementKind;

DatabaseCall& start(StepInput& in, DatabaseOperation operation) {
  auto& call = in.step.body.emplace<DatabaseCall>();
  call.operation = operation;
  read_database_server(in, call.server, &call.server_name);
  return call;
}

void read_safety(StepInput& in, DatabaseCall& call) {
  in.options.optional("idempotent", call.idempotent,
                      "Running it twice is as good as once, so a lost answer is asked for again");
  in.options.optional("readOnly|read_only", call.read_only,
                      "The server refuses writes, so a lost answer is asked for again");
  sdk::read_batching(in.options, call.batching);
}

// --- executeSql

void read_stream(StepInput& in, DatabaseCall& call) {
  bool stream = false;
  RowsAsRecords rows;
  in.options.optional("stream", stream,
                      "Each row flows on as a record of its own, as it comes in: flat memory "
                      "however large the result is");
  in.options.optional("rowsPerRecord|rows_per_record", rows.rows,
                      "With `stream`: so many rows are one record, `{rows: […], rowcount}`");
  if (in.options.has("rowsPerRecord") || in.options.has("rows_per_record")) {
    in.options.check(stream, "rowsPerRecord", "given together with stream: true");
    in.options.check(rows.rows >= 1 && rows.rows <= 100'000, "rowsPerRecord",
                     "between 1 and 100000");
  }
  if (!stream)
    return;
  call.stream = rows;
  if (!in.pipeline || call.server == no_server)
    return;
  const auto& server = in.pipeline->input().servers[call.server];
  const bool in_memory = server.driver == "sqlite" && server.database
                         && server.database->dbname == ":memory:";
  if (in_memory || (server.database && server.database->pool.limit() <= in.step.concurrency))
    in.options.error("stream",
                     "a stream holds a connection until its last row was taken, and '" + server.name
                       + "' would have none left for the steps behind it",
                     in_memory ? "use a file" : "raise pool.max_size");
}

void read_dynamic(StepInput& in, const ConfigNode& query, const ConfigNode* parameters,
                  bool allowed, DatabaseCall& call) {
  auto& diagnostics = in.pipeline->diagnostics();
  if (!allowed) {
    diagnostics.error(
      query.place, "SQL that comes with the record needs 'allowDynamicSql: true'",
      "whoever writes the record then runs any statement; better write the SQL here and use ?");
    return;
  }
  call.dynamic_sql = in.pipeline->compile(query, diagnostics);
  if (parameters)
    call.dynamic_parameters = StatementReader{*in.pipeline, in.options.owner()}.read_list(
      *parameters);
  else
    diagnostics.error(query.place, in.options.owner() + " needs 'parameters'",
                      "[] where there are none");
}

void read_statement(StepInput& in, DatabaseCall& call, std::string_view wanted) {
  bool dynamic = false;
  const auto* query = in.options.raw("query", "SQL",
                                     "One statement; `?` for each parameter, or `:name`", true);
  const auto* parameters = in.options.raw(
    "parameters", "list or mapping of expressions",
    "One entry per `?`, or one per `:name`; `[]` where there are none");
  in.options.optional("allowDynamicSql", dynamic,
                      "Lets `query: {path: …}` take the SQL from the record");
  read_safety(in, call);
  if (wanted != "update")
    read_stream(in, call);
  if (!in.pipeline || !query)
    return;
  if (query->is_mapping()) {
    read_dynamic(in, *query, parameters, dynamic, call);
    return;
  }
  call.secret = query->secret;
  auto bound = StatementReader{*in.pipeline, in.options.owner()}.read(*query, parameters);
  if (!bound)
    return;
  const auto kind = bound->sql->classification.kind;
  if (wanted == "query" && !bound->sql->classification.returns_rows && kind != StatementKind::query)
    in.pipeline->diagnostics().error(
      query->place,
      "'operation: query' takes a statement that gives rows, and this is "
        + bound->sql->classification.keyword,
      "use executeSql, which takes any statement");
  if (wanted == "update" && kind == StatementKind::query)
    in.pipeline->diagnostics().error(
      query->place,
      "'operation: update' takes a statement that changes something, and this is "
        + bound->sql->classification.keyword,
      "use executeSql, which takes any statement");
  call.statements.push_back(std::move(*bound));
}

void read_execute(StepInput& in) {
  read_statement(in, start(in, DatabaseOperation::execute), {});
}

void read_query(StepInput& in) {
  read_statement(in, start(in, DatabaseOperation::execute), "query");
}

std::optional<BoundStatement> read_batch_entry(StepInput& in, const ConfigNode& node,
                                               DatabaseCall& call) {
  StatementReader statement{*in.pipeline, "a statement of " + in.options.owner()};
  if (node.is_scalar()) {
    call.secret |= node.secret;
    return statement.read(node, nullptr);
  }
  ConfigReader reader{node, "a statement of " + in.options.owner(), in.pipeline->diagnostics(),
                      in.pipeline};
  const auto* query = reader.raw("query", "SQL", "", true);
  const auto* parameters = reader.raw("parameters", "list or mapping of expressions", "");
  reader.finish();
  call.secret |= query && query->secret;
  return query ? statement.read(*query, parameters) : std::nullopt;
}

// `in`, `as`, `query`, `parameters`: one statement, once for each item of a list.
void read_batch_list(StepInput& in, DatabaseCall& call, const std::string& item,
                     const ConfigNode* query, const ConfigNode* parameters) {
  if (!is_name(item) || item == "meta" || item == "error" || in.pipeline->is_step_name(item)) {
    in.options.error("as", "'as' must be a name that no step has");
    return;
  }
  if (!query) {
    in.options.error("query", in.options.owner() + " needs 'query', which runs for each item");
    return;
  }
  const PipelineCompiler::Nested nested{*in.pipeline};
  call.item = in.pipeline->add_slot(item);
  call.secret = query->secret;
  if (auto bound = StatementReader{*in.pipeline, in.options.owner()}.read(*query, parameters))
    call.statements.push_back(std::move(*bound));
}

void read_batch(StepInput& in) {
  auto& call = start(in, DatabaseOperation::execute_batch);
  std::string item = "item";
  const auto* statements = in.options.raw(
    "statements", "list of statements",
    "`{query: …, parameters: […]}` each; all take effect, or none");
  in.options.optional("in", call.each, "Instead: a list; `query` runs for each of its items");
  in.options.optional("as", item, "The name of each item of `in` in `parameters`");
  const auto* query = in.options.raw("query", "SQL", "With `in`: the statement");
  const auto* parameters = in.options.raw("parameters", "list or mapping of expressions",
                                          "With `in`: its parameters");
  read_safety(in, call);
  if (!in.pipeline)
    return;
  if (in.options.has("in")) {
    if (statements)
      in.options.error("statements", "a step has either 'statements' or 'in'");
    read_batch_list(in, call, item, query, parameters);
    return;
  }
  if (!statements) {
    in.options.error("statements", in.options.owner() + " needs 'statements', or 'in' and 'query'");
    return;
  }
  if (query)
    in.options.error("query", "'query' stands beside 'in'; each of 'statements' has its own");
  if (!statements->is_sequence() || statements->items.empty()) {
    in.options.error("statements",
                     "'statements' must be a list of {query: …, parameters: […]}, not "
                       + statements->describe());
    return;
  }
  for (const auto& node : statements->items) {
    if (auto bound = read_batch_entry(in, node, call))
      call.statements.push_back(std::move(*bound));
  }
}

// --- copyIn

void read_copy(StepInput& in) {
  auto& call = start(in, DatabaseOperation::copy_in);
  call.copy = read_copy_target(in);
}

// --- CRUD

void read_crud(StepInput& in, CrudOperation operation) {
  auto& call = start(in, DatabaseOperation::execute);
  if (auto bound = read_crud_statement(in, operation))
    call.statements.push_back(std::move(*bound));
  // Values are bound; names become part of the SQL.
  for (const auto* name : {"table", "key", "columns", "orderBy|order_by", "returning"})
    call.secret |= in.options.is_secret(name);
  read_safety(in, call);
  if (operation == CrudOperation::select)
    read_stream(in, call);
}

void read_insert(StepInput& in) {
  read_crud(in, CrudOperation::insert);
}

// With a `query` it is the alias of executeSql that other documents have, with a `table` a CRUD
// operation.
void read_update(StepInput& in) {
  if (in.pipeline && in.options.has("query"))
    read_statement(in, start(in, DatabaseOperation::execute), "update");
  else
    read_crud(in, CrudOperation::update);
}

void read_upsert(StepInput& in) {
  read_crud(in, CrudOperation::upsert);
}

void read_delete(StepInput& in) {
  read_crud(in, CrudOperation::remove);
}

void read_select(StepInput& in) {
  read_crud(in, CrudOperation::select);
}

// --- transactions

void read_transaction_options(StepInput& in, TransactionOptions& options) {
  in.options.choice<std::string>("isolation", options.isolation,
                                 {{"read committed", "read committed"},
                                  {"repeatable read", "repeatable read"},
                                  {"serializable", "serializable"}},
                                 "Isolation level; default: the server's");
  in.options.optional("readOnly|read_only", options.read_only, "Refuses writes");
  in.options.optional("deferrable", options.deferrable,
                      "Waits for a snapshot that cannot fail; with serializable and readOnly");
  enum class Per { record, batch };
  Per per = Per::record;
  in.options.choice<Per>(
    "per", per, {{"record", Per::record}, {"batch", Per::batch}},
    "One transaction per record, or per batch (run again record by record where it fails)");
  options.per_batch = per == Per::batch;
}

void read_begin(StepInput& in) {
  auto& call = start(in, DatabaseOperation::begin);
  read_transaction_options(in, call.transaction);
  call.transaction.timeout = in.step.timeout;
}

void read_commit(StepInput& in) {
  start(in, DatabaseOperation::commit);
}

void read_rollback(StepInput& in) {
  start(in, DatabaseOperation::rollback);
}

void read_savepoint(StepInput& in) {
  auto& call = start(in, DatabaseOperation::savepoint);
  call.savepoint = in.step.name;
  in.options.optional("savepoint", call.savepoint, "Its name; default: the step's");
  in.options.refuse_secret("savepoint");
}

void read_rollback_to(StepInput& in) {
  auto& call = start(in, DatabaseOperation::rollback_to);
  in.options.required("savepoint|to", call.savepoint, "Name of a savepoint before it");
  in.options.refuse_secret("savepoint");
  in.options.refuse_secret("to");
}

void read_check(StepInput& in) {
  start(in, DatabaseOperation::check);
}

void read_transaction(StepInput& in) {
  auto& block = in.step.body.emplace<TransactionBlock>();
  read_database_server(in, block.server, nullptr);
  read_transaction_options(in, block.options);
  block.options.timeout = in.step.timeout;
  RetryPolicy retry{3, milliseconds{20}, milliseconds{2'000}};
  if (in.options.section(
        "retry", "Run the whole block again after a conflict (40001, 40P01) or a lost connection",
        [&](ConfigReader& reader) { read_retry_keys(reader, retry); }))
    block.options.retry = retry;
  const auto* steps = in.options.raw("steps", "list of steps",
                                     "Commits at their end, rolls back on any other way out", true);
  if (!in.pipeline || !steps)
    return;
  // What they put out stays visible: the record goes through all of them, or rolls back.
  block.steps = in.pipeline->compile_list(*steps);
  in.has_output = block.steps.result != sdk::no_slot;
}

constexpr std::array<StepType, 16> types{{
  {"database", "executeSql", "Runs one statement", true, read_execute},
  {"database", "executeBatch", "Runs several statements, all or none", true, read_batch},
  {"database", "copyIn", "Writes rows in bulk, by COPY where the server has it", true, read_copy},
  {"database", "query", "executeSql that must give rows", true, read_query},
  {"database", "insert", "Inserts a row", true, read_insert},
  {"database", "update", "Updates rows; with `query` executeSql that must change something", true,
   read_update},
  {"database", "upsert", "Inserts a row, or updates the one with the same key", true, read_upsert},
  {"database", "delete", "Deletes rows", true, read_delete},
  {"database", "select", "Selects rows", true, read_select},
  {"database", "transaction", "Runs its steps in one transaction", true, read_transaction},
  {"database", "beginSql", "Begins a transaction", false, read_begin},
  {"database", "commitSql", "Commits the transaction", false, read_commit},
  {"database", "rollbackSql", "Rolls the transaction back", false, read_rollback},
  {"database", "savepoint", "Marks a point in the transaction", false, read_savepoint},
  {"database", "rollbackTo", "Rolls back to a savepoint", false, read_rollback_to},
  {"database", "dbConnection", "Checks the connection", false, read_check},
}};

}  // namespace

std::span<const StepType> database_types() {
  return types;
}

}  // namespace millrace::dsl
