// Where JSON text is written: a buffer on the stack in front of a string. Internal to the SDK.
#pragma once

#include "connectors/sdk/value.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace::sdk {

/// Gathers small pieces; what it holds reaches the string with `flush`, which must be the last
/// call.
class JsonText {
public:
  explicit JsonText(std::string& out) noexcept : out_{out} {}

  void put(char c) {
    make_room(1);
    *at_++ = c;
  }

  void put(std::string_view text) {
    if (text.size() > small) {
      flush();
      out_.append(text);
      return;
    }
    make_room(text.size());
    std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }

  /// A line break and so many spaces.
  void put_line(std::size_t indent);

  /// `value` is an integer or a real.
  void put_number(const Value& value);

  /// A string literal. Bytes that are not UTF-8 become U+FFFD, so that the text is JSON whatever
  /// the string holds.
  void put_string(std::string_view text);

  /// The same for a string Value, quicker where it is short.
  void put_string(const Value& text);

  void flush() {
    out_.append(buffer_.data(), at_);
    at_ = buffer_.data();
  }

private:
  static constexpr std::size_t small = 256;

  void make_room(std::size_t size) {
    if (static_cast<std::size_t>(buffer_.data() + buffer_.size() - at_) < size)
      flush();
  }

  void put_inside(std::string_view text);
  std::size_t put_special(std::string_view text);

  std::string& out_;
  std::array<char, 2048> buffer_;  // NOLINT(cppcoreguidelines-pro-type-member-init): written first
  char* at_ = buffer_.data();
};

}  // namespace millrace::sdk
