#include "dsl/references.hpp"

#include "dsl/text_check.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::Diagnostics;

constexpr std::size_t max_secret_bytes = 1024 * 1024;

bool is_variable_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9'))
    return false;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!letter && (c < '0' || c > '9'))
      return false;
  }
  return true;
}

class Resolver {
public:
  Resolver(const Environment& environment, Diagnostics& diagnostics)
    : environment_{environment}, diagnostics_{diagnostics} {}

  void walk(ConfigNode& node) {
    if (node.is_scalar())
      resolve(node);
    for (auto& item : node.items)
      walk(item);
    for (auto& entry : node.entries) {
      if (entry.key.find("${ENV:") != std::string::npos
          || entry.key.find("${FILE:") != std::string::npos)
        diagnostics_.warning(entry.key_place, "'${…}' is not resolved in keys; it stays as it is");
      walk(entry.value);
    }
  }

private:
  void resolve(ConfigNode& node) {
    if (node.text.find("${") == std::string::npos)
      return;
    const std::string source = std::exchange(node.text, {});
    std::string_view rest{source};
    while (!rest.empty()) {
      if (rest.starts_with("$${")) {
        node.literal_dollars.push_back(offset(node));
        node.text += "${";
        rest.remove_prefix(3);
      } else if (rest.starts_with("${ENV:") || rest.starts_with("${FILE:")) {
        if (!take_reference(node, rest))
          return;
      } else {
        node.text += rest.front();
        rest.remove_prefix(1);
      }
    }
  }

  static std::uint32_t offset(const ConfigNode& node) {
    return static_cast<std::uint32_t>(node.text.size());
  }

  // @returns whether the reference has an end.
  bool take_reference(ConfigNode& node, std::string_view& rest) {
    const auto end = rest.find('}');
    if (end == std::string_view::npos) {
      diagnostics_.error(node.place,
                         "'" + std::string{rest.substr(0, rest.find(':') + 1)} + "…' has no '}'");
      node.literal_dollars.push_back(offset(node));
      node.text += rest;
      node.secret = true;
      return false;
    }
    const auto inside = rest.substr(2, end - 2);
    rest.remove_prefix(end + 1);
    const bool from_environment = inside.starts_with("ENV:");
    const auto argument = inside.substr(inside.find(':') + 1);
    const auto before = node.text.size();
    append(node, from_environment ? variable(node, argument) : file(node, argument));
    // What is in a file can be read again while we run.
    if (!from_environment)
      node.files.push_back({before, node.text.size() - before, path_of(node, argument)});
    return true;
  }

  static void append(ConfigNode& node, const std::optional<std::string>& text) {
    if (node.text.empty())
      node.is_text = true;
    node.secret = true;
    node.quoted = true;  // what comes from outside is text, whatever it looks like
    if (!text)
      return;
    for (const char c : *text) {
      if (c == '$')
        node.literal_dollars.push_back(offset(node));
      node.text += c;
    }
  }

  std::optional<std::string> variable(const ConfigNode& node, std::string_view argument) {
    const auto split = argument.find(":-");
    const std::string name{argument.substr(0, split)};
    if (!is_variable_name(name)) {
      diagnostics_.error(node.place, "'" + name + "' is no name of a variable",
                         "write ${ENV:NAME} or ${ENV:NAME:-default}");
      return std::nullopt;
    }
    auto value = environment_.variable(name);
    if (split != std::string_view::npos && (!value || value->empty()))
      return std::string{argument.substr(split + 2)};
    if (!value) {
      diagnostics_.error(node.place, "the environment variable '" + name + "' is not set",
                         "set it, or give a default: ${ENV:" + name + ":-…}");
      return std::nullopt;
    }
    return checked(node, std::move(*value), "the environment variable '" + name + "'");
  }

  static std::string path_of(const ConfigNode& node, std::string_view argument) {
    return relative_to(node.place.file ? *node.place.file : std::string{}, argument);
  }

  std::optional<std::string> file(const ConfigNode& node, std::string_view argument) {
    const auto path = path_of(node, argument);
    auto content = environment_.read_file(path, max_secret_bytes);
    if (!content) {
      diagnostics_.error(node.place,
                         "'${FILE:" + std::string{argument} + "}': " + content.error().message(),
                         content.error().hint());
      return std::nullopt;
    }
    if (content->ends_with('\n'))
      content->pop_back();
    if (content->ends_with('\r'))
      content->pop_back();
    return checked(node, std::move(*content), "the file '" + path + "'");
  }

  std::optional<std::string> checked(const ConfigNode& node, std::string text,
                                     const std::string& what) {
    if (const auto bad = find_bad_byte(text)) {
      diagnostics_.error(node.place, what + " holds " + std::string{bad->reason});
      return std::nullopt;
    }
    return text;
  }

  const Environment& environment_;
  Diagnostics& diagnostics_;
};

}  // namespace

void resolve_references(ConfigNode& node, const Environment& environment,
                        Diagnostics& diagnostics) {
  Resolver{environment, diagnostics}.walk(node);
}

std::string relative_to(const std::string& file, std::string_view path) {
  const auto slash = file.rfind('/');
  if (path.starts_with('/') || slash == std::string::npos)
    return std::string{path};
  return file.substr(0, slash + 1) + std::string{path};
}

}  // namespace millrace::dsl
