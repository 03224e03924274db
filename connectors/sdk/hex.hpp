// The value of one hexadecimal digit.
//
//   hex_digit('b')   // 11
#pragma once

namespace millrace::sdk {

/// @returns -1 where `c` is no hexadecimal digit.
constexpr int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace millrace::sdk
