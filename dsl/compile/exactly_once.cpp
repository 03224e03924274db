#include "dsl/compile/exactly_once.hpp"

#include "connectors/sdk/database_settings.hpp"
#include "dsl/compile/named_server.hpp"
#include "dsl/compile/request_transaction.hpp"
#include "dsl/compile/walk.hpp"
#include "dsl/describe.hpp"
#include "dsl/sql/crud.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::dsl {
namespace {

using sdk::ConfigNode;

constexpr const char* default_table = "millrace_offsets";
constexpr std::array<std::string_view, 4> own_transactions{"beginSql", "commitSql", "rollbackSql",
                                                           "transaction"};

// The first step in `node` that begins or ends a transaction by itself, or null.
const ConfigNode* own_transaction(const ConfigNode& node) {
  const auto* operation = node.find("operation");
  if (operation && std::ranges::find(own_transactions, operation->text) != own_transactions.end())
    return &node;
  for (const auto& item : node.items) {
    if (const auto* found = own_transaction(item))
      return found;
  }
  for (const auto& entry : node.entries) {
    if (const auto* found = own_transaction(entry.value))
      return found;
  }
  return nullptr;
}

// What a database step, or its preset, says about its server.
std::optional<ConfigNode> server_of(const ConfigNode& step, const Document& document) {
  if (const auto* server = step.find("server"); server && server->is_scalar())
    return *server;
  const auto* operation = step.find("operation");
  const auto* preset = operation && operation->is_scalar()
                         ? find_named(document.operations, operation->text)
                         : nullptr;
  if (const auto* server = preset ? preset->node.find("server") : nullptr)
    return *server;
  // A step of steps: what is in it says so.
  for (const auto& entry : step.entries) {
    for (const auto& item : entry.value.items) {
      if (auto server = server_of(item, document))
        return server;
    }
  }
  return std::nullopt;
}

// Whether the last step may write where the source's offsets are.
bool ends_where_it_began(const ConfigNode& steps, const ConfigNode& source) {
  const auto* from = source.find("type");
  const auto* to = steps.items.empty() ? nullptr : steps.items.back().find("type");
  return from && to && from->text == to->text;
}

class Checker {
public:
  Checker(const ExactlyOnce& wanted, const std::vector<ServerProgram>& servers,
          sdk::Diagnostics& diagnostics)
    : wanted_{wanted}, servers_{servers}, diagnostics_{diagnostics} {}

  /// @param sink the step that commits the offsets, or null.
  void check(const StepProgram& step, const StepProgram* sink) {
    const auto* connector = std::get_if<ConnectorCall>(&step.body);
    if (&step == sink) {
      if (connector->server != wanted_.server)
        refuse(step,
               "writes to '" + servers_[*connector->server].name + "', and the offsets are on '"
                 + name() + "': no transaction covers both",
               "use one server");
    } else if (sink && shows_twice(step)) {
      refuse(step, "has an effect outside the transaction that '" + sink->name + "' commits",
             "leave it out, or let the pipeline end in the database");
    } else if (connector && connector->operation->effects == sdk::Effects::external) {
      refuse(step,
             "has an effect outside the transaction: where that fails it has happened all the "
             "same, and it may happen twice",
             "write to the database alone, and let another pipeline send what stands there");
    }
    if (const auto* call = std::get_if<DatabaseCall>(&step.body); call && !sink)
      check(step, *call);
    else if (call && call->stream)
      refuse(step, "makes many records of one, which has one offset", "leave out stream:");
    if (std::holds_alternative<Gather>(step.body))
      refuse(step, "makes one record of many, which have one offset each",
             "leave it out: what waits of a partition shares a transaction by itself");
    if (const auto* loop = std::get_if<Foreach>(&step.body); loop && !loop->collect)
      refuse(step, "makes many records of one, which has one offset",
             "give it 'collect', or run the statements in its nested steps");
    if (std::holds_alternative<CallPipeline>(step.body))
      refuse(step, "calls a pipeline, whose effects are outside the transaction",
             "write its steps here");
    if (!step.ordered)
      refuse(step, "lifts the order of a partition, by which its offset moves",
             "leave out ordered: false");
  }

private:
  void check(const StepProgram& step, const DatabaseCall& call) {
    if (call.server_name)
      refuse(step, "computes its server, and the transaction is on '" + name() + "'",
             "name the server");
    else if (call.server != no_server && call.server != wanted_.server)
      refuse(step,
             "is on '" + servers_[call.server].name + "', and the transaction on '" + name()
               + "': no commit covers both",
             "use one database");
    if (call.stream)
      refuse(step, "makes many records of one, which has one offset", "leave out stream:");
  }

  void refuse(const StepProgram& step, const std::string& why, std::string hint) {
    diagnostics_.error(step.place,
                       "with delivery: exactly-once '" + step.name + "' cannot be: it " + why,
                       std::move(hint));
  }

  const std::string& name() const { return servers_[wanted_.server].name; }

  const ExactlyOnce& wanted_;
  const std::vector<ServerProgram>& servers_;
  sdk::Diagnostics& diagnostics_;
};

// What a transaction of the database outlives.
void check_server(const ServerProgram& server, const sdk::Place& place,
                  sdk::Diagnostics& diagnostics) {
  if (server.database && server.database->dbname == ":memory:")
    diagnostics.error(place,
                      "delivery: exactly-once needs a database that outlives the process, and '"
                        + server.name + "' is in memory",
                      "give it a file: sqlite:///folder/name.db");
}

const ConfigNode* offset_table(const ConfigNode& source) {
  const auto* table = source.find("offsetTable");
  return table ? table : source.find("offset_table");
}

}  // namespace

bool wants_exactly_once(const ConfigNode& source) {
  const auto* delivery = source.find("delivery");
  return delivery && delivery->text == "exactly-once";
}

bool wrap_exactly_once(ConfigNode& steps, const ConfigNode& source, const Document& document,
                       sdk::Diagnostics& diagnostics) {
  if (ends_where_it_began(steps, source))
    return true;
  const auto& place = source.find("delivery")->place;
  const auto* first = first_database_step(steps, document);
  if (!first) {
    diagnostics.error(place,
                      "delivery: exactly-once needs a database step, in whose transaction the "
                      "offset is written; this pipeline has none",
                      "leave 'delivery' out: it is at least once then");
    return false;
  }
  if (const auto* own = own_transaction(steps)) {
    diagnostics.error(own->place,
                      "with delivery: exactly-once the pipeline makes the transaction by itself",
                      "leave out beginSql, commitSql, rollbackSql and transaction");
    return false;
  }
  return wrap_from_database(steps, {"exactly-once", place, server_of(*first, document)}, document);
}

void mark_exactly_once(PipelineProgram& pipeline, const ConfigNode& source,
                       const std::vector<ServerProgram>& servers, sdk::Diagnostics& diagnostics) {
  if (pipeline.steps.steps.empty())
    return;
  auto& last = *pipeline.steps.steps.back();
  ExactlyOnce wanted;
  const StepProgram* sink = nullptr;
  if (const auto* call = std::get_if<ConnectorCall>(&last.body);
      call && call->server && pipeline.source.server) {
    sink = &last;
    wanted.server = *pipeline.source.server;
    if (const auto* table = offset_table(source))
      diagnostics.error(table->place, "no table is used: '" + last.name + "' commits the offsets",
                        "leave out 'offsetTable'");
  } else if (auto* block = std::get_if<TransactionBlock>(&last.body);
             block && block->server != no_server) {
    block->exactly_once = true;
    wanted.server = block->server;
    const auto* table = offset_table(source);
    auto quoted = quote_table(table && table->is_scalar() ? table->text : default_table);
    if (quoted)
      wanted.table = std::move(*quoted);
    else
      diagnostics.error(table->place, quoted.error().message(), quoted.error().hint());
    check_server(servers[wanted.server], source.find("delivery")->place, diagnostics);
  } else {
    return;  // a mistake that is reported already
  }
  Checker checker{wanted, servers, diagnostics};
  for_each_step(std::as_const(pipeline.steps),
                [&](const StepProgram& step) { checker.check(step, sink); });
  pipeline.source.exactly_once = std::move(wanted);
}

}  // namespace millrace::dsl
