// The verbs, and what a line of them means.
#include "runtime/command_line.hpp"

#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/dsn.hpp"
#include "runtime/flags.hpp"
#include "runtime/remote_verbs.hpp"
#include "runtime/settings.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace millrace::runtime {

namespace {

/// All verbs with the options they fill. Lives as long as the parser does.
struct Line {
  CLI::App app{"millrace: runs pipelines that are written in YAML", "millrace"};
  const CLI::App* run_verb = nullptr;
  RunOptions run;
  ValidateOptions validate;
  ExplainOptions explain;
  GraphOptions graph;
  ListOptions list;
  EvalJsonpathOptions jsonpath;
  EvalSqlOptions sql;
  EvalExprOptions expr;
  DsnOptions dsn;
  RemoteVerbs remote;

  Line() {
    app.require_subcommand(1);
    app.footer(
      "`millrace VERB --help` shows a verb's options and an example.\n"
      "Exit codes: 0 ok, 1 a check failed, 64 usage, 69 unavailable, 70 internal, 74 I/O,\n"
      "75 stopped with unfinished work, 78 configuration.");
    app.failure_message(CLI::FailureMessage::simple);
    add_file_verbs();
    add_looking_verbs();
    add_eval();
    add_dsn();
    remote.add(app);
  }

  void add_file_verbs() {
    Verb verb{
      app, "run", "Runs the pipelines of the files until they end or a signal comes",
      "millrace run --once pipelines/orders.yaml --set servers.db.pool.max_size=20\n\n"
      "SIGINT and SIGTERM stop the intake and let open work finish; a second one gives up.\n"
      "Every flag can be given as MILLRACE_<FLAG>: MILLRACE_LOG_LEVEL=debug."};
    run_verb = &verb.app();
    verb.files(run.files, false);
    verb.text("--config", run.config, "FILE",
              "Settings file, as config/millrace.yaml: flags and their variables win over it");
    verb.flag("--once", run.engine.once, "Ends when the present input is used up");
    verb.flag("--watch", run.watch, "Takes up changes of the files while it runs");
    verb.duration("--drain-timeout", run.drain_timeout,
                  "How long open work may take to finish after a signal");
    verb.text("--admin-address", run.admin.address, "HOST:PORT",
              "Where the admin API listens, or `off` (default " + std::string{default_admin_address}
                + ", with --once off)");
    verb.secret("--admin-token", run.admin.token,
                "What who uses the admin API must say; better in MILLRACE_ADMIN_TOKEN");
    verb.choice("--log-level", run.log.level, log_levels, "Least level that is logged");
    verb.choice("--log-format", run.log.format, log_formats, "How log lines look");
    verb.count("--threads", run.engine.threads, 0,
               "Scheduler threads; 0: one per core, at least 2");
    verb.choice("--scheduler", run.engine.stealing, schedulers, "How threads share actors");
    verb.count("--max-throughput", run.engine.max_throughput, 1,
               "Messages an actor may handle before another one's turn");
    verb.count("--credit-records", run.engine.credit_records, 1, "Most records a source has open");
    verb.bytes("--credit-bytes", run.engine.credit_bytes, "Most bytes a source has open");

    Verb check{app, "validate", "Checks the files and says every mistake in them",
               "millrace validate pipelines/*.yaml"};
    check.files(validate.files);
    check.flag("--against-db", validate.against_db,
               "Asks the databases too: whether they understand every statement");
    Verb tell{app, "explain", "Says what would run, step by step, and what is guaranteed",
              "millrace explain pipelines/orders.yaml"};
    tell.files(explain.files);
    Verb draw{app, "graph", "Draws the pipelines",
              "millrace graph --format dot pipelines/orders.yaml | dot -Tsvg > orders.svg"};
    draw.files(graph.files);
    draw.choice("--format", graph.format, graph_formats, "Language of the drawing");
  }

  void add_looking_verbs() {
    Verb verb{app, "list", "Lists what files can use", "millrace list options file"};
    verb.word("WHAT", list.what, {"connectors", "functions", "options"});
    verb.positional("TYPE", list.type, "With options: those of this step type alone");
    Verb schema{app, "schema", "Prints the JSON Schema of pipeline files, for editors",
                "millrace schema > millrace.schema.json"};
    Verb version{app, "version", "Says which millrace this is", "millrace version"};
  }

  void add_eval() {
    Verb eval{app, "eval", "Tries out a path, a statement or an expression",
              "echo '{\"a\": [1, 2]}' | millrace eval jsonpath '$.a[*]'"};
    eval.app().require_subcommand(1);
    Verb path{eval.app(), "jsonpath", "Prints the JSON array of what a JSONPath selects",
              "millrace eval jsonpath '$.orders[?@.total > 100].id' orders.json\n\n"
              "An argument that begins with a dash stands behind `--`."};
    path.required("PATH", jsonpath.path, "RFC 9535 JSONPath");
    path.positional("FILE", jsonpath.file, "JSON document; default: stdin");
    path.flag("--paths", jsonpath.paths, "Normalized paths instead of values");
    path.flag("--strict", jsonpath.strict, "Names as in the RFC: no dash in shorthand");
    Verb statement{eval.app(), "sql", "Prints a statement as PostgreSQL would get it",
                   "millrace eval sql 'SELECT * FROM t WHERE a = ? AND b = ?' --parameters '[1, "
                   "\"currentdatetime()\"]'"};
    statement.required("TEXT", sql.text, "SQL with placeholders: ?, $1, %s or :name");
    statement.text("--parameters", sql.parameters, "JSON", "JSON list, or object for :name");
    Verb expression{eval.app(), "expr", "Evaluates an expression over a JSON document",
                    "echo '{\"in\": {\"name\": \" Ada \"}}' | millrace eval expr "
                    "'upper(trim($.in.name))'"};
    expression.required("TEXT", expr.text, "Expression as files have it");
    expression.positional("FILE", expr.file, "JSON document that is `$`; default: stdin");
  }

  void add_dsn() {
    Verb verb{app, "dsn", "Reads, masks and builds database addresses",
              "millrace dsn mask postgresql://ada:secret@db/shop"};
    verb.app().require_subcommand(1);
    const auto add = [&](const std::string& name, DsnAction action, const std::string& doc,
                         const std::string& example) {
      Verb tool{verb.app(), name, doc, example};
      tool.required("URL", dsn.url, "URI or keyword string");
      tool.app().callback([this, action] { dsn.action = action; });
      return tool;
    };
    auto parse = add("parse", DsnAction::parse, "Prints its libpq parameters as a JSON object",
                     "millrace dsn parse 'postgresql://ada@a:5432,b:5433/shop'");
    parse.flag("--show-password", dsn.show_password, "Shows the password instead of ***");
    add("mask", DsnAction::mask, "Prints it with its passwords masked",
        "millrace dsn mask 'host=db user=ada password=secret'");
    add("is-multihost", DsnAction::is_multihost, "Prints whether it names several hosts",
        "millrace dsn is-multihost postgresql://a,b/shop");
    auto build = add("build", DsnAction::build, "Prints it for another database or role",
                     "millrace dsn build --database audit --target-session-attrs read-write "
                     "postgresql://a,b/shop");
    build.text("--database", dsn.database, "NAME", "Name of the database");
    build.text("--target-session-attrs", dsn.target_session_attrs, "WORD",
               "read-write, standby, …");
  }

  bool is(const CLI::App* verb) const { return app.get_subcommands().front() == verb; }

  /// The innermost verb that was named.
  const CLI::App& chosen() const {
    const CLI::App* deepest = &app;
    while (!deepest->get_subcommands().empty())
      deepest = deepest->get_subcommands().front();
    return *deepest;
  }

  Command command() const {
    const std::string verb = app.get_subcommands().front()->get_name();
    if (verb == "run")
      return run;
    if (verb == "validate")
      return validate;
    if (verb == "explain")
      return explain;
    if (verb == "graph")
      return graph;
    if (verb == "list")
      return list;
    if (verb == "schema")
      return SchemaOptions{};
    if (verb == "version")
      return VersionOptions{};
    if (verb == "dsn")
      return dsn;
    if (auto command = remote.command(verb))
      return std::move(*command);
    const std::string& tool = chosen().get_name();
    if (tool == "jsonpath")
      return jsonpath;
    if (tool == "sql")
      return sql;
    return expr;
  }
};

std::string full_name(const CLI::App& app) {
  const auto* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

/// An argument as it may be repeated: an address can hold a password.
std::string shown(const std::string& argument) {
  const bool address = argument.find("://") != std::string::npos
                       || argument.find('=') != std::string::npos;
  return address && !argument.starts_with('-') ? sdk::mask_dsn(argument)
                                               : argument.substr(0, argument.find('='));
}

/// What was probably meant by the first argument that nothing takes.
std::string hint_for(const CLI::App& app, std::string_view word) {
  std::vector<std::string> names;
  for (const auto* verb : app.get_subcommands({}))
    names.push_back(verb->get_name());
  for (const auto* option : app.get_options())
    names.push_back(option->get_name());
  const auto meant = sdk::did_you_mean(word.substr(0, word.find('=')),
                                       {names.begin(), names.end()});
  return meant.empty() ? std::string{} : "; " + meant;
}

Advice explain_mistake(const Line& line, const CLI::ParseError& error) {
  const CLI::App& app = line.chosen();
  std::string text = error.what();
  const auto extra = app.remaining(true);
  const auto unknown = extra.empty() ? line.app.remaining(true) : extra;
  if (!unknown.empty())
    text = "unknown argument '" + shown(unknown.front()) + "'" + hint_for(app, unknown.front());
  return {text + "\n  hint: `" + full_name(app) + " --help` shows what there is", ExitCode::usage};
}

/// Reads the line into `line`. @returns what is to be said instead of carrying it out.
std::optional<Advice> read(Line& line, int argc, const char* const* argv) {
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto* parent = line.chosen().get_parent();
    return Advice{line.chosen().help(parent == nullptr ? std::string{} : full_name(*parent)),
                  ExitCode::ok};
  } catch (const CLI::CallForAllHelp&) {
    return Advice{line.app.help("", CLI::AppFormatMode::All), ExitCode::ok};
  } catch (const CLI::ParseError& error) {
    return explain_mistake(line, error);
  }
  return std::nullopt;
}

}  // namespace

std::variant<Command, Advice> parse_command_line(int argc, const char* const* argv) {
  auto line = std::make_unique<Line>();
  if (auto advice = read(*line, argc, argv))
    return std::move(*advice);
  // The settings file is what the line's flags and variables are laid over: once more on top of it.
  if (const auto config = line->run.config; !config.empty()) {
    line = std::make_unique<Line>();
    if (auto read_file = load_settings(config, line->run); !read_file.empty())
      return Advice{std::move(read_file), ExitCode::config};
    if (auto advice = read(*line, argc, argv))
      return std::move(*advice);
  }
  if (line->is(line->run_verb) && line->run.files.files.empty())
    return Advice{"FILE is required\n  hint: name pipeline files, or a settings file with "
                  "`pipelines` by --config; `millrace run --help` shows what there is",
                  ExitCode::usage};
  return line->command();
}

}  // namespace millrace::runtime
