#include "dsl/describe.hpp"

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/compile/walk.hpp"
#include "dsl/sql/joinable.hpp"

namespace millrace::dsl {

namespace {

using sdk::sql::single_statement;
using sdk::sql::tokenize;

constexpr std::size_t shown_bytes = 100;

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!blank)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  if (out.size() <= shown_bytes)
    return out;
  std::size_t end = shown_bytes;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U)
    --end;
  return out.substr(0, end) + "…";
}

std::string text_of(const Statement& statement) {
  std::string text;
  for (const auto& piece : statement.pieces) {
    text += piece.text;
    if (piece.entry)
      text += statement.names.empty() ? "?" : ":" + statement.names[*piece.entry];
  }
  return text;
}

std::string text_of(const sdk::ConditionPtr& condition) {
  return condition ? condition->text() : std::string{};
}

std::string text_of(const sdk::ExpressionPtr& expression) {
  return expression ? expression->text() : std::string{};
}

struct Detail {
  std::string operator()(const DatabaseCall& call) const {
    if (call.dynamic_sql)
      return "SQL from " + text_of(call.dynamic_sql);
    if (!call.savepoint.empty())
      return call.savepoint;
    if (call.copy)
      return "into " + call.copy->table;
    const std::string rows = !call.stream             ? ""
                             : call.stream->rows == 0 ? "each row a record: "
                                                      : "rows as records: ";
    if (call.statements.size() > 1)
      return std::to_string(call.statements.size()) + " statements";
    // SQL that came from outside is shown nowhere.
    return call.statements.empty() || call.secret ? std::string{}
                                                  : rows + text_of(*call.statements.front().sql);
  }

  std::string operator()(const Filter& body) const { return text_of(body.when); }

  std::string operator()(const Foreach& body) const { return "each of " + text_of(body.in); }

  std::string operator()(const Gather& body) const {
    if (body.secret)
      return sdk::Secret::masked();
    std::string text;
    if (body.count > 0)
      text += std::to_string(body.count) + " records";
    if (body.bytes > 0)
      text += (text.empty() ? "" : ", ") + sdk::format_byte_size(body.bytes);
    if (body.period)
      text += (text.empty() ? "" : ", ") + sdk::format_duration(*body.period);
    return text;
  }

  std::string operator()(const Dedupe& body) const {
    return text_of(body.key) + " for " + sdk::format_duration(body.window);
  }

  std::string operator()(const Delay& body) const { return sdk::format_duration(body.duration); }

  std::string operator()(const LogMessage& body) const { return text_of(body.message); }

  std::string operator()(const Fail& body) const { return text_of(body.message); }

  std::string operator()(const CallPipeline& body) const { return body.pipeline; }

  std::string operator()(const Transform& body) const {
    std::string names;
    for (const auto& one : body.set)
      names += (names.empty() ? "" : ", ") + one.name;
    return names;
  }

  std::string operator()(const auto&) const { return {}; }
};

}  // namespace

std::string kind_of(const StepProgram& step) {
  return step.type + (step.operation.empty() ? "" : " " + step.operation);
}

std::string detail_of(const StepProgram& step) {
  return one_line(std::visit(Detail{}, step.body));
}

std::string detail_of(const SourceProgram& source) {
  if (!source.receive)
    return {};
  const auto& receive = *source.receive;
  std::string text;
  for (const auto& channel : receive.channels)
    text += (text.empty() ? "listens to " : ", ") + channel;
  if (!receive.query)
    return text;
  if (!text.empty())
    text += "; ";
  text += "every " + sdk::format_duration(receive.every) + ", mark " + receive.mark_column;
  if (!receive.mark_table.empty())
    text += " in " + receive.mark_table;
  return one_line(receive.secret ? text : text + ": " + text_of(*receive.query));
}

std::string server_of(const StepProgram& step, const Program& program) {
  if (const auto* block = std::get_if<TransactionBlock>(&step.body))
    return program.servers[block->server].name;
  if (const auto* connector = std::get_if<ConnectorCall>(&step.body))
    return connector->server ? program.servers[*connector->server].name : std::string{};
  const auto* call = std::get_if<DatabaseCall>(&step.body);
  if (!call)
    return {};
  return call->server_name ? text_of(call->server_name) : program.servers[call->server].name;
}

std::uint32_t span_of(const StepProgram& step) {
  if (const auto* block = std::get_if<TransactionBlock>(&step.body))
    return block->span;
  const auto* call = std::get_if<DatabaseCall>(&step.body);
  return call ? call->span : 0;
}

std::vector<std::pair<std::string, const StepList*>> labelled_lists(const StepProgram& step) {
  std::vector<std::pair<std::string, const StepList*>> lists;
  if (const auto* choice = std::get_if<Switch>(&step.body)) {
    for (const auto& one : choice->cases)
      lists.emplace_back(one.when ? "case " + one_line(one.when->text()) : "otherwise", &one.steps);
  } else if (const auto* parallel = std::get_if<Parallel>(&step.body)) {
    for (const auto& [name, steps] : parallel->branches)
      lists.emplace_back("branch " + name, &steps);
  } else {
    for (const auto* steps : nested_lists(step))
      lists.emplace_back("", steps);
  }
  return lists;
}

std::string describe_rule(const ErrorRule& rule) {
  std::string text;
  for (const auto& one : rule.match)
    text += (text.empty() ? "" : ", ") + one;
  if (text.empty())
    text = "any error";
  text += ": ";
  if (rule.retry && rule.retry->attempts > 1)
    text += "tried "
            + (rule.retry->secret ? sdk::Secret::masked() : std::to_string(rule.retry->attempts))
            + " times, then ";
  else if (!rule.retry)
    text += "tried 3 times where that can help, then ";
  if (rule.steps && !rule.steps->steps.empty())
    text += "its own steps, then ";
  switch (rule.then) {
  case ErrorAction::by_default:
    return text + "as by default";
  case ErrorAction::dead_letter:
    return text + "dead letter";
  case ErrorAction::skip:
    return text + "the record is dropped";
  case ErrorAction::resume:
    return text + "the record goes on without the step's output";
  case ErrorAction::stop:
    return text + "the pipeline stops";
  }
  return text;
}

std::string batching_of(const StepProgram& step, const Program& program) {
  const auto* call = std::get_if<DatabaseCall>(&step.body);
  if (!call || call->operation != DatabaseOperation::execute || call->span != 0
      || call->server >= program.servers.size())
    return {};
  const auto& server = program.servers[call->server];
  if (server.driver != "postgres" || !server.database)
    return {};
  if (call->stream)
    return {};  // it has a connection of its own
  if (!call->batching || !server.database->batching)
    return "each on its own: batching is off";
  if (server.database->pool_mode == sdk::PoolMode::transaction)
    return "each on its own: the server is behind a bouncer";
  if (call->statements.empty())
    return "as its text allows";
  std::string sql;
  for (const auto& piece : call->statements.front().sql->pieces) {
    sql += piece.text;
    if (piece.entry)
      sql += '$' + std::to_string(*piece.entry + 1);
  }
  const auto tokens = tokenize(sql);
  if (!tokens)
    return {};
  const auto statement = single_statement(sql, *tokens);
  if (!statement)
    return {};
  const auto words = examine_joinable(*statement);
  if (!words.refusal.empty())
    return "alone on a connection: " + words.refusal;
  if (words.set_form == SetFormKind::none)
    return "under a shared Sync, if the catalog allows it; not in set form: " + words.set_refusal;
  return "in set form, if the catalog allows it and it is quicker";
}

bool shows_twice(const StepProgram& step) {
  if (const auto* call = std::get_if<ConnectorCall>(&step.body))
    return call->operation->effects == sdk::Effects::external;
  const auto* call = std::get_if<DatabaseCall>(&step.body);
  if (!call || call->idempotent || call->read_only)
    return false;
  if (call->dynamic_sql || call->copy)
    return true;
  for (const auto& statement : call->statements) {
    if (!statement.sql->classification.read_only)
      return true;
  }
  return false;
}

}  // namespace millrace::dsl
