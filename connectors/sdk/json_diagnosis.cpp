#include "connectors/sdk/json_diagnosis.hpp"

#include "connectors/sdk/json.hpp"
#include "connectors/sdk/number.hpp"
#include "connectors/sdk/utf8.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <string>

namespace millrace::sdk {

namespace {

/// Walks over a document and stops at its first mistake.
class Walk {
public:
  explicit Walk(std::string_view text) : text_{text} {}

  /// Null where there is no mistake.
  const char* run() {
    if (text_.starts_with("\xEF\xBB\xBF"))
      return "a byte order mark, which JSON does not have";
    skip_space();
    if (at_end())
      return "empty, a JSON value is missing";
    if (const char* reason = values())
      return reason;
    skip_space();
    return at_end() ? nullptr : "text after the end of the document";
  }

  std::size_t offset() const noexcept { return at_; }

private:
  /// One value, however deep.
  const char* values() {
    for (;;) {
      if (const char* reason = value())
        return reason;
      if (opened_)
        continue;
      for (;;) {
        if (depth_ == 0)
          return nullptr;
        skip_space();
        if (at_end())
          return in_object() ? "ends inside an object" : "ends inside an array";
        const char c = text_[at_];
        if (c == (in_object() ? '}' : ']')) {
          ++at_;
          --depth_;
          continue;
        }
        if (c != ',')
          return in_object() ? "a comma or '}' is missing" : "a comma or ']' is missing";
        ++at_;
        break;
      }
      if (const char* reason = in_object() ? name() : nullptr)
        return reason;
    }
  }

  bool in_object() const noexcept { return object_at_[depth_ - 1]; }

  const char* value() {
    opened_ = false;
    skip_space();
    if (at_end())
      return "ends where a value is missing";
    switch (text_[at_]) {
    case '{':
      return open(true);
    case '[':
      return open(false);
    case '"':
      return string();
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
    }
  }

  const char* open(bool object) {
    if (depth_ == max_json_depth)
      return "nested too deeply (more than 512 levels)";
    ++at_;
    skip_space();
    if (!at_end() && text_[at_] == (object ? '}' : ']')) {
      ++at_;
      return nullptr;
    }
    object_at_[depth_++] = object;
    opened_ = true;
    return object ? name() : nullptr;
  }

  const char* name() {
    skip_space();
    if (at_end())
      return "ends inside an object";
    if (text_[at_] != '"')
      return "a member's name in double quotes is missing";
    if (const char* reason = string())
      return reason;
    skip_space();
    if (at_end() || text_[at_] != ':')
      return "a colon is missing after a member's name";
    ++at_;
    return nullptr;
  }

  const char* literal(std::string_view word) {
    if (!text_.substr(at_).starts_with(word))
      return "not a JSON value";
    at_ += word.size();
    return token_ends() ? nullptr : "not a JSON value";
  }

  const char* number() {
    const char first = text_[at_];
    const auto length = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size())
                        - at_;
    if (first != '-' && (first < '0' || first > '9'))
      return utf8_length(text_.substr(at_)) != 0 ? "not a JSON value" : "invalid UTF-8";
    if (read_number(text_.substr(at_, length)).kind == ValueKind::null)
      return "not a JSON number";
    at_ += length;
    return token_ends() ? nullptr : "not a JSON number";
  }

  bool token_ends() const noexcept {
    return at_end() || std::string_view{" \n\t\r,:[]{}"}.find(text_[at_]) != std::string_view::npos;
  }

  const char* string() {
    ++at_;
    for (;;) {
      if (at_end())
        return "ends inside a string";
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return nullptr;
      }
      if (c < 0x20)
        return c == 0 ? "a NUL byte in a string"
                      : "a control character in a string, which must be escaped";
      if (c == '\\') {
        if (const char* reason = escape())
          return reason;
      } else if (c < 0x80) {
        ++at_;
      } else if (const auto length = utf8_length(text_.substr(at_))) {
        at_ += length;
      } else {
        return "invalid UTF-8";
      }
    }
  }

  const char* escape() {
    const auto rest = text_.substr(at_);
    if (rest.size() < 2)
      return "ends inside a string";
    if (rest[1] != 'u') {
      if (std::string_view{"\"\\/bfnrt"}.find(rest[1]) == std::string_view::npos)
        return "not a JSON escape";
      at_ += 2;
      return nullptr;
    }
    const int code = hex4(rest.substr(2));
    if (code < 0)
      return "'\\u' needs four hex digits";
    if (code < 0xD800 || code > 0xDFFF) {
      at_ += 6;
      return nullptr;
    }
    const int low = code < 0xDC00 && rest.substr(6).starts_with("\\u") ? hex4(rest.substr(8)) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
      return "a lone surrogate";
    at_ += 12;
    return nullptr;
  }

  void skip_space() noexcept {
    at_ = std::min(text_.find_first_not_of(" \n\t\r", at_), text_.size());
  }

  bool at_end() const noexcept { return at_ == text_.size(); }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  bool opened_ = false;
  std::bitset<max_json_depth> object_at_;
};

}  // namespace

std::optional<Error> diagnose_json(std::string_view text) {
  Walk walk{text};
  const char* reason = walk.run();
  if (!reason)
    return std::nullopt;
  const auto before = text.substr(0, walk.offset());
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1) + 1;
  return Error{ErrorKind::data, "bad JSON at line " + std::to_string(line) + ", column "
                                  + std::to_string(column) + " (offset "
                                  + std::to_string(before.size()) + "): " + reason};
}

}  // namespace millrace::sdk
