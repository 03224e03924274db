// Program: what a checked file compiles to. Names are gone: steps have slots, expressions are
// compiled, servers are numbers. The engine runs it; `explain` and `graph` print it. Immutable once
// made.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/record.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace millrace::sdk {
struct DatabaseSettings;
}

namespace millrace::sdk::sql {
struct Statement;  // connectors/sdk/sql/placeholder.hpp
}

namespace millrace::dsl {

using sdk::sql::Statement;
struct StepProgram;

using std::chrono::milliseconds;

/// Steps one after the other; `result` is the slot of the last one that has an output (no_slot:
/// none).
struct StepList {
  std::vector<std::unique_ptr<StepProgram>> steps;
  sdk::Slot result = sdk::no_slot;
};

enum class ErrorAction : std::uint8_t {
  by_default,   // not said: answer where the source answers, else stop
  dead_letter,  // hand it to the pipeline's deadLetter step
  skip,         // drop the record
  resume,       // `continue`: go on without this step's output
  stop,         // stop the pipeline
};

struct RetryPolicy {
  std::uint32_t attempts = 1;  // in total
  milliseconds base{100};
  milliseconds cap{10'000};  // full jitter between 0 and min(cap, base * 2^(n-1))
  bool secret = false;       // `attempts` came from outside: it is shown nowhere
};

/// One entry of `onError`. `match` entries: a kind ("timeout"), an SQLSTATE ("40001"), a class
/// ("23*"); none: any.
struct ErrorRule {
  std::vector<std::string> match;
  std::optional<RetryPolicy> retry;
  ErrorAction then = ErrorAction::by_default;
  std::shared_ptr<const StepList>
    steps;  // run with the error in `error_slot`, before `then`; may be null

  bool matches(const sdk::Error& error) const;
};

/// The first rule that matches decides. A step's own rules come before its pipeline's. None:
/// retryable errors are tried 3 times, then by_default.
struct ErrorPolicy {
  std::vector<ErrorRule> rules;
  std::size_t own_rules = 0;  // so many at the beginning stand at the step itself
  sdk::Slot error_slot =
    sdk::no_slot;  // where `$.error` {step, kind, sqlstate, message, attempts} goes

  /// @returns null where no rule matches.
  const ErrorRule* find(const sdk::Error& error) const;
};

// --- what a step does
// ---------------------------------------------------------------------------------------

/// A connector's step.
struct ConnectorCall {
  const sdk::Connector* connector = nullptr;
  const sdk::Operation* operation = nullptr;
  sdk::StepFactory make;
  std::optional<std::size_t> server;  // index in Program::servers, where it uses one
};

struct NamedExpression {
  std::string name;
  sdk::ExpressionPtr value;
};

struct Transform {
  sdk::ExpressionPtr from;  // null: starts from an empty object; the compiler gives the last output
                            // where there is no `set`
  std::vector<NamedExpression> set;
  std::vector<std::string> pick;  // empty: all
  std::vector<std::string> drop;
  std::vector<std::pair<std::string, std::string>> rename;  // old, new
};

struct Filter {
  sdk::ConditionPtr when;
};

struct Switch {
  struct Case {
    sdk::ConditionPtr when;  // null: otherwise
    StepList steps;
  };

  std::vector<Case> cases;  // a record that none takes flows on, with null as output
};

struct Foreach {
  sdk::ExpressionPtr in;
  sdk::Slot item = sdk::no_slot;
  StepList steps;
  sdk::ExpressionPtr collect;  // null: each item flows on as a record of its own
};

struct Parallel {
  std::vector<std::pair<std::string, StepList>> branches;
};

/// `batch`: many records become one, {items, count}.
struct Gather {
  std::uint64_t count = 0;  // 0: no such limit
  std::uint64_t bytes = 0;
  std::optional<milliseconds> period;
  sdk::ExpressionPtr by;
  sdk::ExpressionPtr item;  // what is gathered of each record: the last output
  bool secret = false;      // the limits came from outside: they are shown nowhere
};

struct Throttle {
  double per_second = 0;
  sdk::ExpressionPtr by;
};

struct Dedupe {
  sdk::ExpressionPtr key;
  milliseconds window{600'000};
  std::uint64_t max_keys = 1'000'000;
};

struct Delay {
  milliseconds duration{0};
};

struct LogMessage {
  sdk::LogLevel level = sdk::LogLevel::info;
  sdk::ExpressionPtr message;
};

struct Fail {
  sdk::ExpressionPtr message;
};

struct CallPipeline {
  std::string pipeline;
  sdk::ExpressionPtr input;
};

/// A value for a placeholder: an expression, or a literal of the driver ("CURRENT_TIMESTAMP") by
/// its DSL name.
struct Parameter {
  std::string name;  // of `:name`; empty for `?`
  sdk::ExpressionPtr value;
  std::string literal;  // "currentdatetime" or "currentdate" where `value` is null
};

struct BoundStatement {
  std::shared_ptr<const Statement> sql;
  std::vector<Parameter> parameters;
};

struct TransactionOptions {
  std::string isolation;  // "", "read committed", "repeatable read", "serializable"
  bool read_only = false;
  bool deferrable = false;
  std::optional<milliseconds> timeout;
  std::optional<RetryPolicy> retry;  // of the whole block
  bool per_batch = false;
};

/// `transaction` with nested steps: commits at their end, rolls back on any other exit.
struct TransactionBlock {
  bool of_request = false;    // made by `transaction:` of a source that answers
  bool exactly_once = false;  // made by `delivery: exactly-once` of a source
  std::size_t server = 0;
  std::uint32_t span = 0;
  TransactionOptions options;
  StepList steps;
};

/// Where `copyIn` writes, and what.
struct CopyTarget {
  std::string table;                       // as it stands in SQL: quoted
  std::vector<std::string> columns;        // the same
  std::vector<std::string> names;          // the columns as the user wrote them
  std::vector<sdk::ExpressionPtr> values;  // of one row per record; empty: `rows` gives them
  sdk::ExpressionPtr rows;                 // a list of objects by column, or of lists
  std::uint64_t most = 10'000;             // rows written at a time
};

/// The rows of a statement flow on as records.
struct RowsAsRecords {
  std::uint64_t rows = 0;  // of a record; 0: each row is an output by itself
};

enum class DatabaseOperation : std::uint8_t {
  execute,        // executeSql, and the CRUD operations
  execute_batch,  // several statements, or one for each item of a list: all or none
  copy_in,        // rows into a table, in bulk
  begin,
  commit,
  rollback,
  savepoint,
  rollback_to,
  check,  // dbConnection
};

struct DatabaseCall {
  DatabaseOperation operation = DatabaseOperation::execute;
  std::size_t server = 0;          // index in Program::servers
  sdk::ExpressionPtr server_name;  // not null: gives the server's name per record; among `servers`
                                   // of protocol database
  std::vector<BoundStatement> statements;  // one, but for execute_batch
  sdk::ExpressionPtr dynamic_sql;          // not null: gives the text per record (allowDynamicSql)
  std::vector<Parameter> dynamic_parameters;
  std::shared_ptr<const CopyTarget> copy;  // of copy_in
  std::optional<RowsAsRecords> stream;     // of execute
  sdk::ExpressionPtr each;                 // of execute_batch: its statement runs for each item
  sdk::Slot item = sdk::no_slot;           // where that item is seen
  std::string savepoint;
  bool secret = false;  // its SQL came from outside: it is shown nowhere
  bool idempotent = false;
  bool read_only = false;
  bool batching = true;            // may run together with others
  TransactionOptions transaction;  // of a begin

  std::uint32_t span = 0;  // the transaction it is part of; 0: none
  bool opens_span =
    false;  // the first step of its span (a begin, or the step where an implicit one begins)
  bool closes_span = false;  // its commit or rollback
};

struct StepProgram {
  std::string name;
  sdk::Place place;
  std::string type;
  std::string operation;
  std::string description;
  sdk::Slot input =
    sdk::no_slot;  // the last output before it: what a sink writes where nothing else is said
  sdk::Slot output = sdk::no_slot;  // no_slot: it has none (filter, log, …)

  sdk::ConditionPtr when;  // false: the record passes the step by
  std::optional<milliseconds> timeout;
  std::uint32_t concurrency = 1;
  bool secret_concurrency = false;  // it came from outside: it is shown nowhere
  bool ordered = true;
  ErrorPolicy errors;                     // the step's rules, then the pipeline's
  std::vector<NamedExpression> response;  // empty: the whole result

  std::variant<ConnectorCall, DatabaseCall, TransactionBlock, Transform, Filter, Switch, Foreach,
               Parallel, Gather, Throttle, Dedupe, Delay, LogMessage, Fail, CallPipeline>
    body;
};

/// `database receive`: rows behind a mark, notifications, or rows asked for when notified.
struct DatabaseReceive {
  std::size_t server = 0;
  std::shared_ptr<const Statement> query;  // null: notifications are the records
  bool secret = false;                     // its SQL came from outside
  std::string mark_column;
  sdk::ExpressionPtr mark_initial;
  milliseconds every{1'000};
  std::uint64_t limit = 1'000;  // what `:limit` stands for
  std::string mark_table;       // as it stands in SQL; empty: the mark is forgotten at the end
  std::vector<std::string> channels;
  bool json = false;  // payloads are JSON
  bool tells_reconnect = false;
};

/// `delivery: exactly-once`: the source's offsets are kept in a database, in the transactions of
/// the pipeline.
struct ExactlyOnce {
  std::size_t server = 0;  // index in Program::servers
  std::string table;       // as it stands in SQL
};

struct SourceProgram {
  std::string name;
  sdk::Place place;
  std::string type;
  std::string operation;
  std::string description;
  sdk::Slot output = 0;
  std::optional<sdk::Slot> meta;  // set where an expression reads `$.meta.<name>`
  ErrorPolicy errors;
  const sdk::Connector* connector =
    nullptr;  // null: called by other pipelines only (`type: pipeline, operation: receive`)
  const sdk::Operation* operation_info = nullptr;
  sdk::SourceFactory make;
  std::optional<std::size_t> server;               // index in Program::servers, where it uses one
  std::shared_ptr<const DatabaseReceive> receive;  // not null: the engine makes it, of its pools
  std::optional<ExactlyOnce> exactly_once;
};

struct Span {
  std::uint32_t id = 0;
  std::size_t server = 0;
  std::string opened_by;  // step names
  std::string closed_by;
  bool implicit = false;  // no beginSql: begins at `opened_by`
};

struct PipelineProgram {
  std::string name;
  sdk::Place place;
  std::string description;
  SourceProgram source;
  StepList steps;
  ErrorPolicy errors;  // its own rules, which its source and its steps have in theirs already
  std::unique_ptr<StepProgram> dead_letter;  // null: none; sees the record and `$.error`
  // Makes {record, error}, which `dead_letter` takes as its input; null where there is none.
  std::unique_ptr<StepProgram> dead_letter_shape;
  std::vector<std::string> slots;  // slot -> name it stands for (for `$` as a whole, and explain)
  std::vector<Span> spans;
  std::string fingerprint;  // equal where two readings of the files mean the same; never shown
};

struct ServerProgram {
  std::string name;
  sdk::Place place;
  std::string protocol;
  std::string driver;
  std::string description;
  const sdk::Connector* connector = nullptr;
  std::shared_ptr<const sdk::DatabaseSettings> database;  // protocol database
  sdk::ServerPtr settings;                                // any other protocol
  std::vector<std::string> init;  // statements run once per start, before the sources start
  bool init_secret = false;       // they came from outside: they are shown nowhere
  sdk::Place init_place;
  std::string fingerprint;  // as PipelineProgram's
};

struct Program {
  std::vector<ServerProgram> servers;
  std::vector<PipelineProgram> pipelines;
};

}  // namespace millrace::dsl
