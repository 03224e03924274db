#include "connectors/http/target.hpp"

#include "connectors/sdk/format/clean_utf8.hpp"
#include "connectors/sdk/hex.hpp"

#include <utility>

namespace millrace::http {
namespace {

// Decoded text that may become a Value.
std::optional<std::string> clean_text(std::string_view text, bool plus_is_space) {
  auto decoded = percent_decoded(text, plus_is_space);
  if (!decoded || decoded->find('\0') != std::string::npos || !sdk::is_utf8(*decoded))
    return std::nullopt;
  return decoded;
}

// "http://host/path" to "/path"; other texts stay. A proxy's form, which servers must take.
std::string_view without_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme))
      continue;
    const auto slash = target.find_first_of("/?", scheme.size());
    return slash == std::string_view::npos ? std::string_view{"/"} : target.substr(slash);
  }
  return target;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      const int high = i + 1 < text.size() ? sdk::hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? sdk::hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                       || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out.push_back(c);
    else
      out.append({'%', digits[byte >> 4U], digits[byte & 15U]});
  }
  return out;
}

std::optional<Target> parse_target(std::string_view target) {
  target = without_authority(target);
  Target parsed;
  const auto question = target.find('?');
  const auto path = target.substr(0, question);
  if (question != std::string_view::npos)
    parsed.query = target.substr(question + 1);
  if (!path.starts_with('/') || target.find('#') != std::string_view::npos)
    return std::nullopt;
  parsed.path = path;
  for (std::size_t at = 1; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    auto segment = clean_text(path.substr(at, end - at), false);
    if (!segment)
      return std::nullopt;
    parsed.segments.push_back(std::move(*segment));
    at = end + 1;
  }
  return parsed;
}

std::optional<sdk::Value> parse_form(std::string_view text, std::size_t most) {
  auto all = sdk::Value::object();
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('&', at), text.size());
    const auto field = text.substr(at, end - at);
    at = end + 1;
    if (field.empty())
      continue;
    const auto equals = std::min(field.find('='), field.size());
    auto name = clean_text(field.substr(0, equals), true);
    auto value = clean_text(field.substr(std::min(equals + 1, field.size())), true);
    if (!name || !value || ++count > most)
      return std::nullopt;
    const auto* before = all.find(*name);
    if (!before) {
      all.set(*name, sdk::Value{*value});
    } else if (before->is_array()) {
      all.mutable_member(*name).push_back(sdk::Value{*value});
    } else {
      all.set(*name, sdk::Value::array({*before, sdk::Value{*value}}));
    }
  }
  return all;
}

}  // namespace millrace::http
