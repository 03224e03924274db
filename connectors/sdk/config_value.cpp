// Literals: what a scalar, list or mapping of the file is as a Value.
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/json.hpp"

namespace millrace::sdk {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Takes digits off the front; @returns how many.
std::size_t take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count]))
    ++count;
  text.remove_prefix(count);
  return count;
}

// RFC 8259, section 6. `01234` is none, so post codes stay text.
bool is_json_number(std::string_view text) {
  if (text.starts_with('-'))
    text.remove_prefix(1);
  const bool zero = text.starts_with('0');
  const auto whole = take_digits(text);
  if (whole == 0 || (zero && whole > 1))
    return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits(text) == 0)
      return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-'))
      text.remove_prefix(1);
    if (take_digits(text) == 0)
      return false;
  }
  return text.empty();
}

bool is_any_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (text == word)
      return true;
  }
  return false;
}

Value scalar_value(const ConfigNode& node) {
  if (node.quoted)
    return Value{node.text};
  if (is_any_of(node.text, {"", "~", "null", "Null", "NULL"}))
    return {};
  if (is_any_of(node.text, {"true", "True", "TRUE"}))
    return Value{true};
  if (is_any_of(node.text, {"false", "False", "FALSE"}))
    return Value{false};
  std::string_view number{node.text};
  if (number.starts_with('+'))
    number.remove_prefix(1);
  if (is_json_number(number))
    return Value::decimal(number);
  return Value{node.text};
}

}  // namespace

Value literal_value(const ConfigNode& node) {
  switch (node.kind) {
  case ConfigNode::Kind::null:
    return {};
  case ConfigNode::Kind::scalar:
    return scalar_value(node);
  case ConfigNode::Kind::sequence: {
    auto array = Value::array();
    for (const auto& item : node.items)
      array.push_back(literal_value(item));
    return array;
  }
  case ConfigNode::Kind::mapping: {
    auto object = Value::object();
    for (const auto& entry : node.entries)
      object.set(entry.key, literal_value(entry.value));
    return object;
  }
  }
  return {};
}

bool ConfigReader::option(std::string_view names, bool is_required, Value& out,
                          std::string_view doc, bool no_default) {
  const bool shown = !no_default && !is_required && !out.is_null();
  const auto* node = look_up(names, is_required, "any value", shown ? to_json(out) : std::string{},
                             doc);
  if (!node)
    return false;
  out = literal_value(*node);
  return true;
}

}  // namespace millrace::sdk
