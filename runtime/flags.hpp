// Verb: one verb of the command line with its flags, each with its environment twin MILLRACE_….
//
//   Verb verb{app, "run", "Runs the pipelines", "millrace run orders.yaml"};
//   verb.duration("--drain-timeout", options.drain_timeout, "How long open work may take");
#pragma once

#include "connectors/sdk/secret.hpp"
#include "runtime/options.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 calls it so
class App;
}

namespace millrace::runtime {

/// The words of a choice and what they stand for; in the order in which they are listed.
template <class T>
using Words = std::vector<std::pair<std::string_view, T>>;

extern const Words<sdk::LogLevel> log_levels;
extern const Words<LogFormat> log_formats;
extern const Words<bool> schedulers;
extern const Words<GraphFormat> graph_formats;

/// "--drain-timeout" -> "MILLRACE_DRAIN_TIMEOUT".
std::string environment_twin(std::string_view flag);

/// What the flags fill must outlive the parser.
class Verb {
public:
  Verb(CLI::App& parent, const std::string& name, const std::string& doc,
       const std::string& examples);

  CLI::App& app() { return *app_; }

  void positional(const std::string& name, std::string& out, const std::string& doc);
  void required(const std::string& name, std::string& out, const std::string& doc);

  /// A positional that is one of a few words.
  void word(const std::string& name, std::string& out, const std::vector<std::string>& words);

  void text(const std::string& name, std::string& out, const std::string& type,
            const std::string& doc);

  /// May be repeated.
  void texts(const std::string& name, std::vector<std::string>& out, const std::string& type,
             const std::string& doc);
  void secret(const std::string& name, sdk::Secret& out, const std::string& doc);
  void flag(const std::string& name, bool& out, const std::string& doc);
  void duration(const std::string& name, std::chrono::milliseconds& out, const std::string& doc);
  void bytes(const std::string& name, std::size_t& out, const std::string& doc);
  void count(const std::string& name, std::size_t& out, std::size_t least, const std::string& doc);

  template <class T>
  void choice(const std::string& name, T& out, const Words<T>& words, const std::string& doc) {
    std::vector<std::string> texts;
    std::size_t current = words.size();
    for (const auto& [text, value] : words) {
      if (value == out)
        current = texts.size();
      texts.emplace_back(text);
    }
    choose(name, std::move(texts), current, doc,
           [&out, &words](std::size_t index) { out = words[index].second; });
  }

  /// FILE… and what changes what they say.
  void files(FileOptions& out, bool is_required = true);

private:
  void choose(const std::string& name, std::vector<std::string> words, std::size_t current,
              const std::string& doc, std::function<void(std::size_t)> chosen);

  CLI::App* app_;
};

}  // namespace millrace::runtime
