#include "dsl/compile/receive_reader.hpp"

#include "connectors/sdk/database_settings.hpp"
#include "dsl/compile/database_server.hpp"
#include "dsl/compile/named_server.hpp"
#include "dsl/compile/statement_reader.hpp"
#include "dsl/sql/crud.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;
using sdk::sql::PlaceholderStyle;
using sdk::sql::StatementKind;

constexpr sdk::Operation polls_with_table{
  .name = "receive",
  .rereads = true,
  .guarantee = "goes on behind the last row that settled, also after a crash: the mark stands in "
               "the mark table"};
constexpr sdk::Operation polls_from_start{
  .name = "receive",
  .rereads = true,
  .guarantee = "begins again at `initial` when the process is started anew: there is no markTable"};
constexpr sdk::Operation listens{
  .name = "receive",
  .guarantee = "at most once: what is notified while the connection is down is gone"};
constexpr sdk::Operation described{
  .name = "receive",
  .doc = "Rows behind a mark, asked for again and again; or notifications (LISTEN)",
  .guarantee =
    "with `query` and `markTable` at least once, also after a crash; with `listen` alone "
    "at most once"};

class ReceiveReader {
public:
  ReceiveReader(ConfigReader& in, PipelineCompiler* pipeline) : in_{in}, pipeline_{pipeline} {}

  void read(SourceProgram& source) {
    StepProgram unused;
    StepInput server{in_, pipeline_, unused, true};
    read_database_server(server, receive_.server, nullptr);
    query_ = in_.raw("query", "SQL",
                     "Rows behind the mark, in its order: `SELECT … WHERE id > :mark ORDER BY id "
                     "LIMIT :limit`");
    in_.section("mark", "The mark: where the next rows begin", [this](ConfigReader& mark) {
      mark.required("column", receive_.mark_column,
                    "Column of the rows that rises from row to row, without equals");
      initial_ = mark.raw("initial", "expression", "What `:mark` is at the very beginning", true);
    });
    in_.optional("every", receive_.every, "How long to wait when there was nothing new");
    in_.optional("limit", receive_.limit, "What `:limit` in the query stands for");
    in_.optional("markTable|mark_table", mark_table_,
                 "Table in the same database that keeps the mark of what has settled; made where "
                 "it is not there. Default: none, and a new start begins at `initial`");
    in_.optional("listen", receive_.channels,
                 "Channels to listen on. With `query` a notification asks for rows at once; "
                 "without, notifications are the records: `{channel, payload, pid}`");
    enum class Format { text, json };
    Format format = Format::text;
    in_.choice<Format>("payload", format, {{"text", Format::text}, {"json", Format::json}},
                       "Without `query`: what payloads are");
    receive_.json = format == Format::json;
    in_.optional("reconnectRecord|reconnect_record", receive_.tells_reconnect,
                 "Without `query`: after a new connection a record `{reconnected: true}` says that "
                 "something may have been missed");
    if (pipeline_)
      build(source);
  }

private:
  void build(SourceProgram& source) {
    in_.check(receive_.every.count() > 0, "every", "longer than 0ms");
    in_.check(receive_.limit >= 1 && receive_.limit <= 1'000'000, "limit", "between 1 and 1000000");
    if (query_)
      read_query();
    else
      read_channels_alone();
    check_listen();
    source.operation_info = !query_               ? &listens
                            : mark_table_.empty() ? &polls_from_start
                                                  : &polls_with_table;
    if (receive_.server != no_server)
      source.server = receive_.server;
    source.receive = std::make_shared<const DatabaseReceive>(std::move(receive_));
  }

  void read_query() {
    receive_.secret = query_->secret;
    receive_.query = StatementReader{*pipeline_, in_.owner()}.parse(*query_);
    if (!in_.has("mark"))
      in_.error("mark", in_.owner() + " needs 'mark'",
                "for example mark: {column: id, initial: 0}");
    if (initial_)
      receive_.mark_initial = pipeline_->compile(*initial_, pipeline_->diagnostics());
    if (receive_.query)
      check_placeholders(*receive_.query);
    if (mark_table_.empty())
      return;
    auto quoted = quote_table(mark_table_);
    if (quoted)
      receive_.mark_table = std::move(*quoted);
    else
      in_.error("markTable", quoted.error().message(), quoted.error().hint());
  }

  void check_placeholders(const Statement& query) {
    auto& diagnostics = pipeline_->diagnostics();
    if (!query.classification.returns_rows && query.classification.kind != StatementKind::query) {
      diagnostics.error(query_->place,
                        "'query' must give rows, and this is " + query.classification.keyword);
      return;
    }
    const bool named = query.style == PlaceholderStyle::named;
    const bool has_mark = named ? std::ranges::find(query.names, "mark") != query.names.end()
                                : query.parameter_count == 1;
    const bool only_ours = std::ranges::all_of(
      query.names, [](const auto& name) { return name == "mark" || name == "limit"; });
    if (!has_mark || !only_ours)
      diagnostics.error(query_->place, "'query' takes the mark as ':mark', or as its only '?'",
                        "and perhaps ':limit'; for example SELECT id FROM orders WHERE id > :mark "
                        "ORDER BY id LIMIT :limit");
  }

  void read_channels_alone() {
    for (const std::string_view key : {"mark", "markTable", "mark_table", "every", "limit"}) {
      if (in_.has(key))
        in_.error(key, "'" + std::string{key} + "' stands beside 'query'");
    }
    if (!in_.has("listen"))
      in_.error("query", in_.owner() + " needs 'query' and 'mark', or 'listen'");
  }

  void check_listen() {
    if (!in_.has("listen"))
      return;
    for (const auto& channel : receive_.channels)
      in_.check(!channel.empty() && channel.size() < 64, "listen",
                "names of 1 to 63 bytes, as PostgreSQL has them");
    if (query_ && (receive_.json || receive_.tells_reconnect))
      in_.error(receive_.json ? "payload" : "reconnectRecord",
                "with 'query' rows are the records, and not notifications");
    if (receive_.server == no_server)
      return;
    const auto& server = pipeline_->input().servers[receive_.server];
    if (server.driver == "sqlite")
      in_.error("listen", "SQLite has no LISTEN", "use 'query' and 'mark'");
    else if (server.database && server.database->pool_mode == sdk::PoolMode::transaction)
      in_.error("listen", "behind a bouncer (pool_mode: transaction) nobody can listen",
                "declare a server that goes past it");
    else if (query_ && server.database && server.database->pool.limit() < 2)
      in_.error("listen",
                "listening holds a connection, and the pool of '" + server.name
                  + "' has no other for 'query'",
                "raise pool.max_size");
  }

  ConfigReader& in_;
  PipelineCompiler* pipeline_;
  DatabaseReceive receive_;
  const ConfigNode* query_ = nullptr;
  const ConfigNode* initial_ = nullptr;
  std::string mark_table_;
};

}  // namespace

void read_database_receive(ConfigReader& in, PipelineCompiler* pipeline, SourceProgram& source) {
  ReceiveReader{in, pipeline}.read(source);
}

const sdk::Operation& database_receive_operation() noexcept {
  return described;
}

}  // namespace millrace::dsl
