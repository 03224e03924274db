#include "runtime/flags.hpp"

#include "connectors/sdk/config_reader.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

namespace millrace::runtime {

const Words<sdk::LogLevel> log_levels{
  {"trace", sdk::LogLevel::trace}, {"debug", sdk::LogLevel::debug}, {"info", sdk::LogLevel::info},
  {"warn", sdk::LogLevel::warn},   {"error", sdk::LogLevel::error}, {"off", sdk::LogLevel::off}};
const Words<LogFormat> log_formats{{"text", LogFormat::text}, {"json", LogFormat::json}};
const Words<bool> schedulers{{"sharing", false}, {"stealing", true}};
const Words<GraphFormat> graph_formats{{"mermaid", GraphFormat::mermaid},
                                       {"dot", GraphFormat::dot}};

std::string environment_twin(std::string_view flag) {
  std::string name{"MILLRACE_"};
  for (const char c : flag.substr(flag.find_first_not_of('-')))
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Verb::Verb(CLI::App& parent, const std::string& name, const std::string& doc,
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

void Verb::positional(const std::string& name, std::string& out, const std::string& doc) {
  app_->add_option(name, out, doc);
}

void Verb::required(const std::string& name, std::string& out, const std::string& doc) {
  app_->add_option(name, out, doc)->required();
}

void Verb::word(const std::string& name, std::string& out, const std::vector<std::string>& words) {
  std::string doc;
  for (std::size_t i = 0; i < words.size(); ++i)
    doc += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  app_->add_option(name, out, doc)->required()->check(CLI::IsMember(words));
}

void Verb::text(const std::string& name, std::string& out, const std::string& type,
                const std::string& doc) {
  app_->add_option(name, out, doc)->type_name(type);
}

void Verb::texts(const std::string& name, std::vector<std::string>& out, const std::string& type,
                 const std::string& doc) {
  app_->add_option(name, out, doc)->type_name(type)->allow_extra_args(false);
}

void Verb::secret(const std::string& name, sdk::Secret& out, const std::string& doc) {
  app_
    ->add_option_function<std::string>(
      name, [&out](const std::string& text) { out = sdk::Secret{text}; }, doc)
    ->type_name("SECRET");
}

void Verb::flag(const std::string& name, bool& out, const std::string& doc) {
  app_->add_flag(name, out, doc);
}

void Verb::duration(const std::string& name, std::chrono::milliseconds& out,
                    const std::string& doc) {
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

void Verb::bytes(const std::string& name, std::size_t& out, const std::string& doc) {
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

void Verb::count(const std::string& name, std::size_t& out, std::size_t least,
                 const std::string& doc) {
  app_
    ->add_option_function<std::string>(
      name,
      [&out, name, least](const std::string& text) {
        std::size_t read{};
        const auto* const end = text.data() + text.size();
        const auto [stop, trouble] = std::from_chars(text.data(), end, read);
        if (trouble != std::errc{} || stop != end || read < least)
          throw CLI::ValidationError(
            name, "'" + text + "' is no whole number from " + std::to_string(least) + " to "
                    + std::to_string(std::numeric_limits<std::size_t>::max()));
        out = read;
      },
      doc + " (default " + std::to_string(out) + ")")
    ->type_name("COUNT");
}

void Verb::choose(const std::string& name, std::vector<std::string> words, std::size_t current,
                  const std::string& doc, std::function<void(std::size_t)> chosen) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i)
    list += (i == 0 ? "" : ", ") + words[i] + (i == current ? " (default)" : "");
  app_
    ->add_option_function<std::string>(
      name,
      [chosen = std::move(chosen), words = std::move(words), name, list](const std::string& word) {
        const auto found = std::ranges::find(words, word);
        if (found == words.end())
          throw CLI::ValidationError(name, "'" + word + "' is none of " + list);
        chosen(static_cast<std::size_t>(found - words.begin()));
      },
      doc + ": " + list)
    ->type_name("WORD");
}

void Verb::files(FileOptions& out, bool is_required) {
  app_->add_option("FILE", out.files, "Pipeline files, or folders of them")->required(is_required);
  texts("--set", out.sets, "PATH=VALUE",
        "Overrides one value of the files: PATH=VALUE; may be repeated");
  texts("--env-file", out.env_files, "FILE",
        "File of NAME=value lines that ${ENV:NAME} sees behind the environment; may be repeated");
  text("--profile", out.profile, "NAME", "Settings profile, laid over `default`");
}

}  // namespace millrace::runtime
