// The only file that knows CLI11.
#include "runtime/command_line.hpp"

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/dsn.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <concepts>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace millrace::runtime {

namespace {

const std::map<std::string, sdk::LogLevel> log_levels{
  {"trace", sdk::LogLevel::trace}, {"debug", sdk::LogLevel::debug}, {"info", sdk::LogLevel::info},
  {"warn", sdk::LogLevel::warn},   {"error", sdk::LogLevel::error}, {"off", sdk::LogLevel::off}};
const std::map<std::string, LogFormat> log_formats{{"text", LogFormat::text},
                                                   {"json", LogFormat::json}};
const std::map<std::string, bool> schedulers{{"sharing", false}, {"stealing", true}};
const std::map<std::string, GraphFormat> graph_formats{{"mermaid", GraphFormat::mermaid},
                                                       {"dot", GraphFormat::dot}};

/// "--drain-timeout" -> "MILLRACE_DRAIN_TIMEOUT".
std::string environment_twin(std::string_view flag) {
  std::string name{"MILLRACE_"};
  for (const char c : flag.substr(flag.find_first_not_of('-')))
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

/// One verb: its options are given their environment twins, its help an example.
class Verb {
public:
  Verb(CLI::App& parent, const std::string& name, const std::string& doc,
       const std::string& examples)
    : app_{parent.add_subcommand(name, doc)} {
    app_->footer("Example:\n  " + examples);
    // Only now, for the verb that is meant: CLI11 reads the variables of all that name some, and a
    // wrong one of another verb would stop this one.
    app_->preparse_callback([verb = app_](std::size_t) {
      for (auto* option :
           verb->get_options([](const CLI::Option* each) { return !each->get_positional(); })) {
        if (option->get_name() != "--help")
          option->envname(environment_twin(option->get_name()));
      }
    });
  }

  CLI::App& app() { return *app_; }

  template <class T>
  void positional(const std::string& name, T& out, const std::string& doc) {
    app_->add_option(name, out, doc);
  }

  template <class T>
  void required(const std::string& name, T& out, const std::string& doc) {
    app_->add_option(name, out, doc)->required();
  }

  template <class T>
  CLI::Option* option(const std::string& name, T& out, const std::string& doc) {
    return app_->add_option(name, out, doc);
  }

  template <std::unsigned_integral T>
  void count(const std::string& name, T& out, std::type_identity_t<T> least,
             const std::string& doc) {
    app_
      ->add_option_function<std::string>(
        name,
        [&out, name, least](const std::string& text) {
          T read{};
          const auto* const end = text.data() + text.size();
          const auto [stop, trouble] = std::from_chars(text.data(), end, read);
          if (trouble != std::errc{} || stop != end || read < least)
            throw CLI::ValidationError(name, "'" + text + "' is no whole number from "
                                               + std::to_string(least) + " to "
                                               + std::to_string(std::numeric_limits<T>::max()));
          out = read;
        },
        doc + " (default " + std::to_string(out) + ")")
      ->type_name("COUNT");
  }

  void flag(const std::string& name, bool& out, const std::string& doc) {
    app_->add_flag(name, out, doc);
  }

  template <class T>
  void choice(const std::string& name, T& out, const std::map<std::string, T>& words,
              const std::string& doc) {
    std::string list;
    for (const auto& [word, value] : words)
      list += (list.empty() ? "" : ", ") + word + (value == out ? " (default)" : "");
    app_
      ->add_option_function<std::string>(
        name,
        [&out, &words, name, list](const std::string& word) {
          const auto found = words.find(word);
          if (found == words.end())
            throw CLI::ValidationError(name, "'" + word + "' is none of " + list);
          out = found->second;
        },
        doc + ": " + list)
      ->type_name("WORD");
  }

  void duration(const std::string& name, std::chrono::milliseconds& out, const std::string& doc) {
    app_
      ->add_option_function<std::string>(
        name,
        [&out, name](const std::string& text) {
          const auto read = sdk::parse_duration(text, std::chrono::seconds{1});
          if (!read)
            throw CLI::ValidationError(name, "'" + text + "' is no duration; write 500ms, 30s, 5m");
          out = *read;
        },
        doc + " (default " + sdk::format_duration(out) + ")")
      ->type_name("DURATION");
  }

  void bytes(const std::string& name, std::size_t& out, const std::string& doc) {
    app_
      ->add_option_function<std::string>(
        name,
        [&out, name](const std::string& text) {
          const auto read = sdk::parse_byte_size(text);
          if (!read || *read == 0)
            throw CLI::ValidationError(name, "'" + text + "' is no size; write 64KiB, 16MiB");
          out = static_cast<std::size_t>(*read);
        },
        doc)
      ->type_name("SIZE");
  }

  void files(FileOptions& out) {
    app_->add_option("FILE", out.files, "Pipeline files, or folders of them")->required();
    option("--set", out.sets, "Overrides one value of the files: PATH=VALUE; may be repeated")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
    option("--env-file", out.env_files,
           "File of NAME=value lines that ${ENV:NAME} sees behind the environment; may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
    option("--profile", out.profile, "Settings profile, laid over `default`")->type_name("NAME");
  }

private:
  CLI::App* app_;
};

/// All verbs with the options they fill. Lives as long as the parser does.
struct Line {
  CLI::App app{"millrace: runs pipelines that are written in YAML", "millrace"};
  std::vector<std::pair<CLI::App*, Command>> verbs;

  RunOptions run;
  ValidateOptions validate;
  ExplainOptions explain;
  GraphOptions graph;
  ListOptions list;
  EvalJsonpathOptions jsonpath;
  EvalSqlOptions sql;
  EvalExprOptions expr;
  DsnOptions dsn;

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
  }

  void add_file_verbs() {
    Verb verb{
      app, "run", "Runs the pipelines of the files until they end or a signal comes",
      "millrace run --once pipelines/orders.yaml --set servers.db.pool.max_size=20\n\n"
      "SIGINT and SIGTERM stop the intake and let open work finish; a second one gives up.\n"
      "Every flag can be given as MILLRACE_<FLAG>: MILLRACE_LOG_LEVEL=debug."};
    verb.files(run.files);
    verb.flag("--once", run.engine.once, "Ends when the present input is used up");
    verb.duration("--drain-timeout", run.drain_timeout,
                  "How long open work may take to finish after a signal");
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
    verb.app()
      .add_option("WHAT", list.what, "connectors, functions or options")
      ->required()
      ->check(CLI::IsMember({"connectors", "functions", "options"}));
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
    statement.option("--parameters", sql.parameters, "JSON list, or object for :name")
      ->type_name("JSON");
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
    build.option("--database", dsn.database, "Name of the database")->type_name("NAME");
    build.option("--target-session-attrs", dsn.target_session_attrs, "read-write, standby, …")
      ->type_name("WORD");
  }

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

}  // namespace

std::variant<Command, Advice> parse_command_line(int argc, const char* const* argv) {
  Line line;
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
  return line.command();
}

}  // namespace millrace::runtime
