// The types of options: what each accepts, and how it is named in messages and tables.
#include "connectors/sdk/config_reader.hpp"

#include <charconv>
#include <cmath>

namespace millrace::sdk {

namespace {

using std::chrono::milliseconds;

std::string_view first_name(std::string_view names) {
  return names.substr(0, names.find('|'));
}

void must_be(Diagnostics& diagnostics, const ConfigNode& node, std::string_view names,
             std::string_view wanted, std::string hint = {}) {
  diagnostics.error(node.place,
                    "'" + std::string{first_name(names)} + "' must be " + std::string{wanted}
                      + ", not " + node.describe(),
                    std::move(hint));
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE")
    return true;
  if (text == "false" || text == "False" || text == "FALSE")
    return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

std::string format_number(double number) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number);
  return {buffer, end};
}

// Text that is taken as it stands: a `${…}` in it would go unnoticed.
bool is_plain(Diagnostics& diagnostics, const ConfigNode& node, std::string_view names) {
  const auto at = node.find_template();
  if (at == std::string::npos)
    return true;
  const std::string name{first_name(names)};
  const auto end = node.text.find('}', at);
  const auto inside = node.text.substr(at + 2, end == std::string::npos ? end : end - at - 2);
  const bool variable = inside.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")
                        == std::string::npos;
  diagnostics.error(node.place, "'" + name + "' takes no '${…}' that is evaluated per record",
                    variable && !inside.empty() && !node.secret
                      ? "a variable of the environment is written ${ENV:" + inside + "}"
                      : "write $${ for the characters ${");
  return false;
}

}  // namespace

template <class T, class Parse>
bool ConfigReader::scalar_option(std::string_view names, bool is_required, T& out,
                                 std::string_view doc, const Wanted& wanted, Parse&& parse) {
  const auto* node = look_up(names, is_required, wanted.type,
                             is_required ? std::string{} : wanted.default_text, doc);
  if (!node)
    return false;
  if (node->is_scalar()) {
    if (auto value = parse(*node)) {
      out = std::move(*value);
      return true;
    }
  }
  must_be(*diagnostics_, *node, names, wanted.rule, wanted.hint);
  return false;
}

bool ConfigReader::option(std::string_view names, bool is_required, bool& out, std::string_view doc,
                          bool no_default) {
  const Wanted wanted{.type = "boolean",
                      .rule = "true or false",
                      .default_text = no_default ? ""
                                      : out      ? "true"
                                                 : "false"};
  return scalar_option(names, is_required, out, doc, wanted,
                       [](const ConfigNode& node) { return parse_boolean(node.text); });
}

bool ConfigReader::option(std::string_view names, bool is_required, std::int64_t& out,
                          std::string_view doc, bool no_default) {
  const Wanted wanted{
    .type = "integer", .rule = "an integer", .default_text = no_default ? "" : std::to_string(out)};
  return scalar_option(names, is_required, out, doc, wanted,
                       [](const ConfigNode& node) { return parse_integer(node.text); });
}

bool ConfigReader::option(std::string_view names, bool is_required, double& out,
                          std::string_view doc, bool no_default) {
  const Wanted wanted{
    .type = "number", .rule = "a number", .default_text = no_default ? "" : format_number(out)};
  return scalar_option(names, is_required, out, doc, wanted,
                       [](const ConfigNode& node) { return parse_number(node.text); });
}

bool ConfigReader::option(std::string_view names, bool is_required, milliseconds& out,
                          std::string_view doc, bool no_default) {
  const Wanted wanted{.type = "duration",
                      .rule = "a duration",
                      .hint = "write 100ms, 5s, 10m, 2h or 1d",
                      .default_text = no_default ? "" : format_duration(out)};
  return scalar_option(names, is_required, out, doc, wanted, [this](const ConfigNode& node) {
    // A bare number counts seconds, under a name that says so milliseconds.
    bool in_milliseconds = false;
    for (const auto& entry : mapping_->entries)
      in_milliseconds |= &entry.value == &node && entry.key.ends_with("_ms");
    return parse_duration(node.text, milliseconds{in_milliseconds ? 1 : 1000});
  });
}

bool ConfigReader::option(std::string_view names, bool is_required, ByteSize& out,
                          std::string_view doc, bool no_default) {
  const Wanted wanted{.type = "size",
                      .rule = "a number of bytes",
                      .hint = "write 512, 64KiB or 1MB",
                      .default_text = no_default ? "" : format_byte_size(out.bytes)};
  return scalar_option(names, is_required, out.bytes, doc, wanted,
                       [](const ConfigNode& node) { return parse_byte_size(node.text); });
}

bool ConfigReader::option(std::string_view names, bool is_required, Rate& out, std::string_view doc,
                          bool no_default) {
  const Wanted wanted{.type = "rate",
                      .rule = "a rate",
                      .hint = "write 100/s or 5/m",
                      .default_text = no_default ? "" : format_number(out.per_second) + "/s"};
  return scalar_option(names, is_required, out, doc, wanted,
                       [](const ConfigNode& node) { return parse_rate(node.text); });
}

// @returns null where there is no such text.
const ConfigNode* ConfigReader::text_node(std::string_view names, bool is_required,
                                          std::string type, std::string default_text,
                                          std::string_view doc) {
  const auto* node = look_up(names, is_required, std::move(type), std::move(default_text), doc);
  if (!node)
    return nullptr;
  if (!node->is_scalar()) {
    must_be(*diagnostics_, *node, names, "text");
    return nullptr;
  }
  return is_plain(*diagnostics_, *node, names) ? node : nullptr;
}

bool ConfigReader::option(std::string_view names, bool is_required, std::string& out,
                          std::string_view doc, bool no_default) {
  const auto* node = text_node(names, is_required, "text", no_default || is_required ? "" : out,
                               doc);
  if (node)
    out = node->text;
  return node != nullptr;
}

bool ConfigReader::option(std::string_view names, bool is_required, Text& out, std::string_view doc,
                          bool no_default) {
  const auto* node = text_node(names, is_required, "text",
                               no_default || is_required ? "" : out.reveal(), doc);
  if (node)
    out = Text{node->text, node->secret};
  return node != nullptr;
}

bool ConfigReader::option(std::string_view names, bool is_required, Secret& out,
                          std::string_view doc, bool) {
  const auto* node = text_node(names, is_required, "secret text", {}, doc);
  if (node)
    out = Secret{node->text, node->files};
  return node != nullptr;
}

bool ConfigReader::option(std::string_view names, bool is_required, std::vector<std::string>& out,
                          std::string_view doc, bool no_default) {
  std::string default_text;
  if (!no_default && !is_required) {
    for (const auto& item : out)
      default_text.append(default_text.empty() ? "" : ", ").append(item);
  }
  const auto* node = look_up(names, is_required, "list of texts", std::move(default_text), doc);
  if (!node)
    return false;
  if (node->is_scalar()) {
    if (!is_plain(*diagnostics_, *node, names))
      return false;
    out = {node->text};
    return true;
  }
  const bool ok = node->is_sequence();
  std::vector<std::string> items;
  for (const auto& item : node->items) {
    if (item.is_scalar()) {
      if (!is_plain(*diagnostics_, item, names))
        return false;
      items.push_back(item.text);
    } else {
      must_be(*diagnostics_, item, names, "a list of texts");
      return false;
    }
  }
  if (!ok) {
    must_be(*diagnostics_, *node, names, "a text or a list of texts");
    return false;
  }
  out = std::move(items);
  return true;
}

bool ConfigReader::option(std::string_view names, bool is_required, ExpressionPtr& out,
                          std::string_view doc, bool) {
  const auto* node = look_up(names, is_required, "expression", {}, doc);
  if (!node)
    return false;
  if (!compiler_)
    must_be(*diagnostics_, *node, names, "left out: expressions cannot be used here");
  else
    out = compiler_->compile(*node, *diagnostics_);
  return out != nullptr;
}

bool ConfigReader::option(std::string_view names, bool is_required, ConditionPtr& out,
                          std::string_view doc, bool) {
  const auto* node = look_up(names, is_required, "condition", {}, doc);
  if (!node)
    return false;
  if (!compiler_)
    must_be(*diagnostics_, *node, names, "left out: conditions cannot be used here");
  else
    out = compiler_->compile_condition(*node, *diagnostics_);
  return out != nullptr;
}

void ConfigReader::text_template(std::string_view names, ExpressionPtr& out, std::string_view doc,
                                 bool is_required, TextUse use) {
  const auto* node = look_up(names, is_required, "text template", {}, doc);
  if (!node)
    return;
  if (!compiler_)
    must_be(*diagnostics_, *node, names, "left out: templates cannot be used here");
  else
    out = compiler_->compile_text_for(use, *node, *diagnostics_);
}

void ConfigReader::expressions(std::string_view names,
                               std::vector<std::pair<std::string, ExpressionPtr>>& out,
                               std::string_view doc, bool is_required) {
  const auto* node = look_up(names, is_required, "mapping of expressions", {}, doc);
  if (!node)
    return;
  if (!node->is_mapping() || !compiler_) {
    must_be(*diagnostics_, *node, names, "a mapping of names to expressions");
    return;
  }
  for (const auto& entry : node->entries) {
    if (auto value = compiler_->compile(entry.value, *diagnostics_))
      out.emplace_back(entry.key, std::move(value));
  }
}

}  // namespace millrace::sdk
