// ConfigReader: one description of a component's options that parses them, documents them and feeds
// the JSON Schema. The same function runs in two modes: over what the user wrote, where it finds
// every mistake in one pass, and in describing mode, where it only lists the options.
//
//   void read(ConfigReader& in, Config& config) {
//     in.required("topic", config.topic, "Topic to read");
//     in.optional("group|group_id", config.group, "Consumer group; default: the pipeline's name");
//     in.optional("poll_wait", config.poll_wait, "How long to wait for records");
//     in.check(config.poll_wait > 0ms, "poll_wait", "longer than 0ms");
//   }
//
//   orders.yaml:8:14: error: kafka source 'orders' has no option 'topci'
//     hint: did you mean 'topic'?
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/secret.hpp"
#include "connectors/sdk/server.hpp"
#include "connectors/sdk/value.hpp"

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

/// A number of bytes: `64KiB`, `1MB`, `512`.
struct ByteSize {
  std::uint64_t bytes = 0;
};

/// Events in time: `100/s`, `5/m`, `0.5/s`.
struct Rate {
  double per_second = 0;
};

/// One option, as documented.
struct OptionSpec {
  std::string name;
  std::vector<std::string> aliases;
  std::string
    type;  // "text", "integer", "duration", "expression", "one of jsonl, csv", "mapping", …
  bool required = false;
  std::string default_text;  // empty: none
  std::string doc;
  std::vector<std::string> choices;  // of a choice
  std::vector<OptionSpec> nested;    // of a mapping
};

/// Where the text of a template goes, and so what is done to the values put into it.
enum class TextUse : std::uint8_t {
  plain,
  url,     // they are percent-encoded
  header,  // a line break in one is an error
  sql,     // there may be none: values go into parameters
};

/// Compiles expressions on behalf of a reader; dsl/ implements it, knowing which steps came before.
class ExpressionCompiler {
public:
  virtual ~ExpressionCompiler() = default;
  /// @returns null after it has reported a mistake.
  virtual ExpressionPtr compile(const ConfigNode& node, Diagnostics& diagnostics) = 0;
  /// Text with `${$.path}` templates in it; text without is a constant. `use` says what becomes of
  /// the values.
  virtual ExpressionPtr compile_text_for(TextUse use, const ConfigNode& node,
                                         Diagnostics& diagnostics) = 0;

  ExpressionPtr compile_text(const ConfigNode& node, Diagnostics& diagnostics) {
    return compile_text_for(TextUse::plain, node, diagnostics);
  }

  virtual ConditionPtr compile_condition(const ConfigNode& node, Diagnostics& diagnostics) = 0;

  /// The server of `protocol` that `node` names; where `node` is null the only one.
  /// @param place of the step, for messages about a missing name. @param owner the step.
  /// @returns null after it has reported a mistake, and where the server itself has one.
  virtual ServerPtr find_server(const ConfigNode* node, std::string_view protocol,
                                const Place& place, const std::string& owner,
                                Diagnostics& diagnostics);
};

/// Names are `name` or `name|alias|alias`; giving two of them is a mistake.
class ConfigReader {
public:
  /// Reads `mapping` for `owner` ("file source 'orders'"). Both references must outlive the reader.
  ConfigReader(const ConfigNode& mapping, std::string owner, Diagnostics& diagnostics,
               ExpressionCompiler* compiler = nullptr);

  /// Lists the options into `specs` instead of reading any.
  static ConfigReader describing(std::vector<OptionSpec>& specs);

  bool is_describing() const noexcept { return specs_ != nullptr; }

  /// An option that must be there. T: bool, integers, double, std::string, Text, Secret,
  /// std::chrono::milliseconds, ByteSize, Rate, std::vector<std::string> (a single text is a list
  /// of one), ExpressionPtr, ConditionPtr, Value (any literal).
  template <class T>
  void required(std::string_view names, T& out, std::string_view doc) {
    option(names, true, out, doc);
  }

  /// An option whose default is what `out` holds.
  template <class T>
  void optional(std::string_view names, T& out, std::string_view doc) {
    option(names, false, out, doc);
  }

  template <class T>
  void optional(std::string_view names, std::optional<T>& out, std::string_view doc) {
    T value{};
    if (option(names, false, value, doc, true))
      out = std::move(value);
  }

  /// One of a fixed set of words.
  template <class T>
  void choice(std::string_view names, T& out,
              const std::vector<std::pair<std::string_view, T>>& words, std::string_view doc) {
    std::vector<std::string_view> texts;
    std::string_view current;
    for (const auto& [text, value] : words) {
      texts.push_back(text);
      if (value == out)
        current = text;
    }
    if (const auto index = choose(names, texts, current, doc))
      out = words[*index].second;
  }

  /// Text in which `${$.path}` is evaluated per record, and made fit for `use`.
  void text_template(std::string_view names, ExpressionPtr& out, std::string_view doc,
                     bool is_required = false, TextUse use = TextUse::plain);

  /// A mapping of expressions: `set: {a: "$.x"}`; order kept.
  void expressions(std::string_view names, std::vector<std::pair<std::string, ExpressionPtr>>& out,
                   std::string_view doc, bool is_required = false);

  /// `server`: one of those that are declared, of `protocol`; the only one where nothing is said. T
  /// is what the connector's own reader of servers made. @returns null after a mistake, and in
  /// describing mode.
  template <class T>
  std::shared_ptr<const T> server(std::string_view protocol, std::string_view doc) {
    return std::static_pointer_cast<const T>(find_server(protocol, doc));
  }

  /// A nested mapping; `read` is called with its reader (in describing mode too). @returns whether
  /// it is there.
  bool section(std::string_view names, std::string_view doc,
               const std::function<void(ConfigReader&)>& read);

  /// The node itself, for what no other method reads; marks the name as known.
  const ConfigNode* raw(std::string_view names, std::string_view type, std::string_view doc,
                        bool is_required = false);

  /// A rule over options that were read: reports "'poll_wait' must be <rule>" at the option's
  /// place.
  void check(bool ok, std::string_view name, std::string_view rule, std::string hint = {});

  /// A mistake at option `name` (or at the mapping where it is not there).
  void error(std::string_view name, std::string message, std::string hint = {});

  /// A mistake at a place inside an option that `raw` gave.
  void error_at(const Place& place, std::string message, std::string hint = {});

  bool has(std::string_view name) const;
  Place place_of(std::string_view name) const;

  /// Whether any scalar at or below the option came from outside, under any of its names.
  bool is_secret(std::string_view names) const;

  /// Refuses `${ENV:…}` and `${FILE:…}` in an option that is printed; `expression` is what it
  /// compiled to, if anything.
  void refuse_secret(std::string_view name, const ExpressionPtr& expression = nullptr);

  /// What stands at option `name`, for messages: "'x'", "<secret>", "nothing".
  std::string shown(std::string_view name) const;

  /// What is read; not in describing mode.
  const ConfigNode& node() const noexcept { return *mapping_; }

  const std::string& owner() const noexcept { return owner_; }

  /// Options that somebody else reads: known to `finish`, not listed here.
  void ignore(std::initializer_list<std::string_view> names);

  /// Reports the options that nobody read, with what was meant. Always false in describing mode.
  /// @returns whether this reader found no mistake.
  bool finish();

private:
  ConfigReader() = default;

  bool option(std::string_view names, bool is_required, bool& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, std::int64_t& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, double& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, std::string& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, Text& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, Secret& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, std::chrono::milliseconds& out,
              std::string_view doc, bool no_default = false);
  bool option(std::string_view names, bool is_required, ByteSize& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, Rate& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, std::vector<std::string>& out,
              std::string_view doc, bool no_default = false);
  bool option(std::string_view names, bool is_required, ExpressionPtr& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, ConditionPtr& out, std::string_view doc,
              bool no_default = false);
  bool option(std::string_view names, bool is_required, Value& out, std::string_view doc,
              bool no_default = false);

  // A type of option: its name in tables, its default, and how it is refused.
  struct Wanted {
    const char* type;
    const char* rule;
    const char* hint = "";
    std::string default_text{};
  };

  // Reads one scalar by `parse`, which gives nothing where the text does not fit.
  template <class T, class Parse>
  bool scalar_option(std::string_view names, bool is_required, T& out, std::string_view doc,
                     const Wanted& wanted, Parse&& parse);
  const ConfigNode* text_node(std::string_view names, bool is_required, std::string type,
                              std::string default_text, std::string_view doc);

  template <std::integral T>

  requires(!std::same_as<T, bool> && !std::same_as<T, std::int64_t>) bool option(
    std::string_view names, bool is_required, T& out, std::string_view doc,
    bool no_default = false) {
    auto wide = static_cast<std::int64_t>(out);
    const bool there = option(names, is_required, wide, doc, no_default);
    if (std::in_range<T>(wide))
      out = static_cast<T>(wide);
    else
      check(false, names.substr(0, names.find('|')), "a number that fits");
    return there;
  }

  ServerPtr find_server(std::string_view protocol, std::string_view doc);

  std::optional<std::size_t> choose(std::string_view names,
                                    const std::vector<std::string_view>& words,
                                    std::string_view current, std::string_view doc);

  // The node of an option (null: absent), after marking its names as known and describing it.
  const ConfigNode* look_up(std::string_view names, bool is_required, std::string type,
                            std::string default_text, std::string_view doc,
                            std::vector<std::string> choices = {});

  const ConfigNode* mapping_ = nullptr;
  std::string owner_;
  Diagnostics* diagnostics_ = nullptr;
  ExpressionCompiler* compiler_ = nullptr;
  std::vector<OptionSpec>* specs_ = nullptr;
  std::vector<std::string> known_;
  std::size_t errors_before_ = 0;
  bool finished_ = false;
};

/// Reads `100ms`, `5s`, `10m`, `2h`, `1d`, `1h30m`; a bare number counts in `unit`.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text,
                                                        std::chrono::milliseconds bare_unit);
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

/// `100/s`, `5/m`; a bare number counts per second.
std::optional<Rate> parse_rate(std::string_view text);
std::string format_duration(std::chrono::milliseconds duration);
std::string format_byte_size(std::uint64_t bytes);

/// What `node` says as a Value, by the YAML 1.2 core schema: plain `true`, `null` and JSON numbers
/// are themselves, all other text (also 0x10, 010, yes) is a string. No expressions.
Value literal_value(const ConfigNode& node);

}  // namespace millrace::sdk
