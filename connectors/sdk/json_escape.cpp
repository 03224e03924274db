#include "connectors/sdk/json_escape.hpp"

#include "connectors/sdk/utf8.hpp"

#include <cstring>

namespace millrace::sdk {

namespace {

/// What a backslash and `c` stand for, or NUL.
char unescaped(char c) noexcept {
  switch (c) {
  case '"':
  case '\\':
  case '/':
    return c;
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return '\0';
  }
}

/// Reads `\uXXXX`, or two of them that are a surrogate pair, at `at`. @returns their length, or 0.
std::size_t unescape_unicode(const char* at, const char* end, std::string& out) {
  if (end - at < 6)
    return 0;
  const int code = hex4({at + 2, end});
  if (code < 0)
    return 0;
  if (code < 0xD800 || code > 0xDFFF) {
    append_utf8(out, static_cast<std::uint32_t>(code));
    return 6;
  }
  if (code > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u')
    return 0;
  const int low = hex4({at + 8, end});
  if (low < 0xDC00 || low > 0xDFFF)
    return 0;
  append_utf8(out, 0x10000 + (static_cast<std::uint32_t>(code - 0xD800) << 10)
                     + static_cast<std::uint32_t>(low - 0xDC00));
  return 12;
}

}  // namespace

bool unescape_json(std::string_view inside, std::string& out) {
  const char* at = inside.data();
  const char* const end = at + inside.size();
  out.clear();
  while (at != end) {
    const auto* slash = static_cast<const char*>(
      std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    if (!slash) {
      out.append(at, end);
      return true;
    }
    out.append(at, slash);
    at = slash;
    if (end - at < 2)
      return false;
    if (at[1] == 'u') {
      const auto length = unescape_unicode(at, end, out);
      if (length == 0)
        return false;
      at += length;
    } else if (const char c = unescaped(at[1])) {
      out.push_back(c);
      at += 2;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace millrace::sdk
