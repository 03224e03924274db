// The text form of arrays (PostgreSQL manual, section 8.15.6).
#include "connectors/postgres/decode.hpp"

#include <optional>
#include <string>

namespace millrace::postgres {

namespace {

using sdk::Value;

class ArrayReader {
public:
  ArrayReader(std::string_view text, const TypeInfo& type) : rest_{text}, type_{type} {}

  std::optional<Value> read() {
    // '[2:3]={a,b}': bounds that do not begin at 1 stand in front.
    if (rest_.starts_with('[')) {
      const auto equals = rest_.find('=');
      if (equals == std::string_view::npos)
        return std::nullopt;
      rest_.remove_prefix(equals + 1);
    }
    auto array = read_list();
    return rest_.empty() ? array : std::nullopt;
  }

private:
  bool take(char c) {
    if (!rest_.starts_with(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  // The next character of an item, behind a backslash or not.
  void take_into(std::string& text) {
    static_cast<void>(take('\\'));
    if (rest_.empty())
      return;
    text += rest_.front();
    rest_.remove_prefix(1);
  }

  std::optional<Value> read_list() {
    if (!take('{'))
      return std::nullopt;
    auto list = Value::array();
    if (take('}'))
      return list;
    while (true) {
      auto item = rest_.starts_with('{') ? read_list() : read_item();
      if (!item)
        return std::nullopt;
      list.push_back(std::move(*item));
      if (take('}'))
        return list;
      if (!take(type_.delimiter))
        return std::nullopt;
    }
  }

  std::optional<Value> read_item() {
    std::string text;
    if (take('"')) {
      while (!rest_.empty()) {
        if (take('"'))
          return decode_text(text, type_.element);
        take_into(text);
      }
      return std::nullopt;
    }
    while (!rest_.empty() && rest_.front() != type_.delimiter && rest_.front() != '}')
      take_into(text);
    // Only the bare word is NULL; "NULL" in quotes is text.
    return text == "NULL" ? Value{} : decode_text(text, type_.element);
  }

  std::string_view rest_;
  const TypeInfo& type_;
};

}  // namespace

sdk::Value decode_array(std::string_view text, const TypeInfo& type) {
  auto array = ArrayReader{text, type}.read();
  return array ? std::move(*array) : Value{};
}

}  // namespace millrace::postgres
