// Letters of ASCII, whatever the locale: keywords, units and names of settings are compared by
// them.
//
//   upper("select") == "SELECT"
#pragma once

#include <string>
#include <string_view>

namespace millrace::sdk {

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr char to_upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

inline std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    c = to_lower(c);
  return out;
}

inline std::string upper(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    c = to_upper(c);
  return out;
}

}  // namespace millrace::sdk
