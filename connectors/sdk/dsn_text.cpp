#include "connectors/sdk/dsn_text.hpp"

#include <cstddef>

namespace millrace::sdk {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '.' || c == '_' || c == '~';
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

void skip_spaces(std::string_view& text) {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
}

// Takes a value off the front, quoted or not; none where a quote is left open.
std::optional<std::string> take_value(std::string_view& text) {
  std::string value;
  const bool quoted = text.starts_with('\'');
  if (quoted)
    text.remove_prefix(1);
  while (!text.empty()) {
    const char c = text.front();
    if (!quoted && is_space(c))
      return value;
    text.remove_prefix(1);
    if (quoted && c == '\'')
      return value;
    if (c == '\\' && !text.empty()) {
      value += text.front();
      text.remove_prefix(1);
    } else {
      value += c;
    }
  }
  return quoted ? std::nullopt : std::optional{value};
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high * 16 + low == 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
  }
  return out;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<DsnParameters> parse_query(std::string_view text) {
  DsnParameters parameters;
  if (text.empty())
    return parameters;
  for (const auto part : split_at(text, '&')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return std::nullopt;
    auto key = percent_decode(part.substr(0, equals));
    auto value = percent_decode(part.substr(equals + 1));
    if (!key || !value)
      return std::nullopt;
    parameters.emplace_back(std::move(*key), std::move(*value));
  }
  return parameters;
}

std::string format_query(const DsnParameters& parameters) {
  std::string out;
  for (const auto& [key, value] : parameters)
    out.append(out.empty() ? "?" : "&")
      .append(percent_encode(key))
      .append("=")
      .append(percent_encode(value));
  return out;
}

std::optional<DsnParameters> parse_keyword_string(std::string_view text) {
  DsnParameters parameters;
  skip_spaces(text);
  while (!text.empty()) {
    const auto end = text.find_first_of("= \t\n\r\f\v");
    if (end == std::string_view::npos || end == 0)
      return std::nullopt;
    std::string key{text.substr(0, end)};
    text.remove_prefix(end);
    skip_spaces(text);
    if (!text.starts_with('='))
      return std::nullopt;
    text.remove_prefix(1);
    skip_spaces(text);
    auto value = take_value(text);
    if (!value)
      return std::nullopt;
    parameters.emplace_back(std::move(key), std::move(*value));
    skip_spaces(text);
  }
  return parameters;
}

}  // namespace millrace::sdk
