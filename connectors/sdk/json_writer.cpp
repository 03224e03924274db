#include "connectors/sdk/json.hpp"
#include "connectors/sdk/json_text.hpp"
#include "connectors/sdk/value_node.hpp"

#include <array>
#include <vector>

namespace millrace::sdk {

namespace {

/// A container that is being written.
struct Open {
  ContainerNode* node;
  std::uint32_t next;  // item or member
};

/// The open containers around the present one; it replaces recursion, so that any depth is safe.
class Outer {
public:
  std::size_t size() const noexcept { return size_; }

  void push(Open open) {
    if (size_ < near_.size())
      near_[size_] = open;
    else
      far_.push_back(open);
    ++size_;
  }

  Open pop() {
    --size_;
    if (size_ < near_.size())
      return near_[size_];
    const auto open = far_.back();
    far_.pop_back();
    return open;
  }

private:
  std::size_t size_ = 0;
  std::array<Open, 16> near_;  // NOLINT(cppcoreguidelines-pro-type-member-init): written first
  std::vector<Open> far_;
};

template <bool Pretty>
class Writer {
public:
  explicit Writer(std::string& out) : text_{out} {}

  void write(const Value& root) {
    if (put_leaf(root)) {
      text_.flush();
      return;
    }
    auto open = begin(root);
    for (;;) {
      if (const Value* inner = put_leaves(open)) {
        outer_.push(open);
        open = begin(*inner);
        continue;
      }
      new_line(outer_.size());
      text_.put(open.node->kind == ValueKind::object ? '}' : ']');
      if (outer_.size() == 0)
        break;
      open = outer_.pop();
    }
    text_.flush();
  }

private:
  /// Writes items up to the next that has an inside, which it returns; null at the end.
  const Value* put_leaves(Open& open) {
    auto* const node = open.node;
    const bool object = node->kind == ValueKind::object;
    for (auto i = open.next; i != node->size; ++i) {
      if (i != 0)
        text_.put(',');
      new_line(outer_.size() + 1);
      if (object) {
        text_.put_string(node->members()[i].name);
        text_.put(':');
        if (Pretty)
          text_.put(' ');
      }
      const auto& value = object ? node->members()[i].value : node->items()[i];
      if (!put_leaf(value)) {
        open.next = i + 1;
        return &value;
      }
    }
    return nullptr;
  }

  /// @returns false for a container that is not empty.
  bool put_leaf(const Value& value) {
    switch (value.kind()) {
    case ValueKind::null:
      text_.put("null");
      return true;
    case ValueKind::boolean:
      text_.put(value.as_boolean() ? "true" : "false");
      return true;
    case ValueKind::integer:
    case ValueKind::real:
      text_.put_number(value);
      return true;
    case ValueKind::decimal:
      text_.put(value.as_decimal());
      return true;
    case ValueKind::string:
      text_.put_string(value);
      return true;
    case ValueKind::array:
    case ValueKind::object:
      if (value.size() != 0)
        return false;
      text_.put(value.is_object() ? "{}" : "[]");
      return true;
    }
    return true;
  }

  Open begin(const Value& container) {
    text_.put(container.is_object() ? '{' : '[');
    return {ValueAccess::container(container), 0};
  }

  void new_line(std::size_t depth) {
    if (Pretty)
      text_.put_line(2 * depth);
  }

  JsonText text_;
  Outer outer_;
};

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  JsonText json{out};
  json.put_string(text);
  json.flush();
}

void append_json(std::string& out, const Value& value) {
  Writer<false>{out}.write(value);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_pretty_json(const Value& value) {
  std::string out;
  Writer<true>{out}.write(value);
  return out;
}

}  // namespace millrace::sdk
