#include "connectors/sdk/json.hpp"
#include "dsl/expression/function_bodies.hpp"
#include "dsl/expression/function_table.hpp"
#include "dsl/expression/unicode.hpp"

#include <array>
#include <clocale>
#include <cstring>
#include <cwctype>
#include <openssl/evp.h>
#include <sys/random.h>

namespace millrace::dsl {

void append_text(std::string& out, const sdk::Value& value) {
  if (value.is_string())
    out += value.as_string();
  else if (!value.is_null())
    sdk::append_json(out, value);
}

namespace bodies {

namespace {

using sdk::Error;
using sdk::ErrorKind;
using sdk::Value;

constexpr std::string_view hex_digits = "0123456789abcdef";

bool random_bytes(std::span<unsigned char> out) {
  while (!out.empty()) {
    const auto got = ::getrandom(out.data(), out.size(), 0);
    if (got <= 0)
      return false;
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

/// glibc's own tables of Unicode, whatever locale the process runs in.
locale_t unicode_locale() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

/// Code point by code point, so 'ß' stays; ASCII only where the system has no C.UTF-8.
template <class Map>
Value mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t from = at;
    const char32_t c = next_code_point(text, at);
    if (c == no_code_point || (c >= 0x80 && !unicode_locale()))
      out.append(text, from, at - from);
    else
      append_code_point(out, map(c));
  }
  return Value{out};
}

Answer expect_text(const Value& value) {
  return check_argument(ParameterKind::text, value).error();
}

}  // namespace

// RFC 9562, section 5.4 (version 4).
Answer uuid(const sdk::Clock&, Arguments) {
  thread_local std::array<unsigned char, 256> pool{};
  thread_local std::size_t used = pool.size();
  if (used == pool.size()) {
    if (!random_bytes(pool))
      return Error{ErrorKind::internal, "the system gives no random bytes"};
    used = 0;
  }
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), pool.data() + used, bytes.size());
  used += bytes.size();
  bytes[6] = static_cast<unsigned char>(0x40U | (bytes[6] & 0x0FU));
  bytes[8] = static_cast<unsigned char>(0x80U | (bytes[8] & 0x3FU));
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      text += '-';
    text += hex_digits[bytes[i] >> 4U];
    text += hex_digits[bytes[i] & 15U];
  }
  return Value{text};
}

Answer concat(const sdk::Clock&, Arguments in) {
  std::string out;
  for (const Value& part : in) {
    if (!part.is_null()) {
      if (auto status = check_argument(ParameterKind::scalar, part); !status)
        return status.error();
    }
    append_text(out, part);
  }
  return Value{out};
}

Answer coalesce(const sdk::Clock&, Arguments in) {
  for (const Value& candidate : in) {
    if (!candidate.is_null())
      return candidate;
  }
  return Value{};
}

Answer string(const sdk::Clock&, Arguments in) {
  if (in[0].is_string())
    return in[0];
  return Value{sdk::to_json(in[0])};
}

Answer length(const sdk::Clock&, Arguments in) {
  if (in[0].is_string())
    return Value{count_code_points(in[0].as_string())};
  if (in[0].is_array() || in[0].is_object())
    return Value{in[0].size()};
  return Error{ErrorKind::data,
               "wants text, a list or an object, not " + std::string{describe_kind(in[0].kind())}};
}

Answer lower(const sdk::Clock&, Arguments in) {
  if (!in[0].is_string())
    return expect_text(in[0]);
  return mapped(in[0].as_string(), [](char32_t c) -> char32_t {
    if (c < 0x80)
      return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return ::towlower_l(static_cast<wint_t>(c), unicode_locale());
  });
}

Answer upper(const sdk::Clock&, Arguments in) {
  if (!in[0].is_string())
    return expect_text(in[0]);
  return mapped(in[0].as_string(), [](char32_t c) -> char32_t {
    if (c < 0x80)
      return c >= 'a' && c <= 'z' ? c - 32 : c;
    return ::towupper_l(static_cast<wint_t>(c), unicode_locale());
  });
}

Answer trim(const sdk::Clock&, Arguments in) {
  if (!in[0].is_string())
    return expect_text(in[0]);
  constexpr std::string_view blanks = " \t\n\r\f\v";
  const auto text = in[0].as_string();
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos)
    return Value{""};
  return Value{text.substr(first, text.find_last_not_of(blanks) - first + 1)};
}

Answer sha256(const sdk::Clock&, Arguments in) {
  if (auto status = check_argument(ParameterKind::scalar, in[0]); !status)
    return status.error();
  std::string text;
  append_text(text, in[0]);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr) != 1)
    return Error{ErrorKind::internal, "OpenSSL computes no SHA-256"};
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += hex_digits[digest[i] >> 4U];
    out += hex_digits[digest[i] & 15U];
  }
  return Value{out};
}

}  // namespace bodies
}  // namespace millrace::dsl
