#include "connectors/sdk/json.hpp"
#include "connectors/sdk/number.hpp"
#include "connectors/sdk/utf8.hpp"
#include "connectors/sdk/value_node.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace millrace::sdk {

namespace {

/// A container that is being written; the stack of them replaces recursion.
struct Open {
  ContainerNode* node;
  std::uint32_t next = 0;
};

void append_number(std::string& out, const Value& value) {
  std::array<char, max_double_size> digits{};
  if (value.is_integer()) {
    out.append(digits.data(),
               std::to_chars(digits.data(), digits.data() + digits.size(), value.as_integer()).ptr);
    return;
  }
  const auto real = value.as_double();
  if (std::isnan(real))
    out.append("\"NaN\"");
  else if (std::isinf(real))
    out.append(real > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  else
    out.append(digits.data(), write_double(digits.data(), real));
}

class Writer {
public:
  Writer(std::string& out, bool pretty) : out_{out}, pretty_{pretty} {}

  void write(const Value& root) {
    value(root);
    while (!open_.empty()) {
      auto& top = open_.back();
      auto* node = top.node;
      const bool object = node->kind == ValueKind::object;
      if (top.next == node->size) {
        open_.pop_back();
        new_line();
        out_.push_back(object ? '}' : ']');
        continue;
      }
      if (top.next != 0)
        out_.push_back(',');
      new_line();
      const auto i = top.next++;
      if (object) {
        append_json_string(out_, node->members()[i].name.as_string());
        out_.append(pretty_ ? ": " : ":");
        value(node->members()[i].value);
      } else {
        value(node->items()[i]);
      }
    }
  }

private:
  void value(const Value& value) {
    switch (value.kind()) {
    case ValueKind::null:
      out_.append("null");
      return;
    case ValueKind::boolean:
      out_.append(value.as_boolean() ? "true" : "false");
      return;
    case ValueKind::integer:
    case ValueKind::real:
      append_number(out_, value);
      return;
    case ValueKind::decimal:
      out_.append(value.as_decimal());
      return;
    case ValueKind::string:
      append_json_string(out_, value.as_string());
      return;
    case ValueKind::array:
    case ValueKind::object:
      if (value.size() == 0) {
        out_.append(value.is_object() ? "{}" : "[]");
        return;
      }
      out_.push_back(value.is_object() ? '{' : '[');
      open_.push_back({ValueAccess::container(value)});
      return;
    }
  }

  void new_line() {
    if (pretty_)
      out_.append("\n").append(2 * open_.size(), ' ');
  }

  std::string& out_;
  bool pretty_;
  std::vector<Open> open_;
};

void append_escape(std::string& out, char c) {
  switch (c) {
  case '"':
    out.append("\\\"");
    return;
  case '\\':
    out.append("\\\\");
    return;
  case '\b':
    out.append("\\b");
    return;
  case '\f':
    out.append("\\f");
    return;
  case '\n':
    out.append("\\n");
    return;
  case '\r':
    out.append("\\r");
    return;
  case '\t':
    out.append("\\t");
    return;
  default: {
    constexpr std::string_view hex = "0123456789abcdef";
    const auto code = static_cast<unsigned char>(c);
    out.append("\\u00").append(1, hex[code >> 4]).append(1, hex[code & 15]);
  }
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text[0]);
    if (c < 0x20 || c == '"' || c == '\\') {
      append_escape(out, text[0]);
      text.remove_prefix(1);
    } else if (const auto length = utf8_length(text)) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      append_utf8(out, 0xFFFD);
      text.remove_prefix(1);
    }
  }
  out.push_back('"');
}

void append_json(std::string& out, const Value& value) {
  Writer{out, false}.write(value);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_pretty_json(const Value& value) {
  std::string out;
  Writer{out, true}.write(value);
  return out;
}

}  // namespace millrace::sdk
