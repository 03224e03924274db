#include "connectors/http/trace_context.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

namespace millrace::http {
namespace {

constexpr std::size_t trace_digits = 32;
constexpr std::size_t parent_digits = 16;
constexpr std::size_t longest_request_id = 128;
constexpr std::size_t longest_state = 512;

bool is_hex(std::string_view text) noexcept {
  return std::ranges::all_of(
    text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) noexcept {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// version "-" trace-id "-" parent-id "-" flags; later versions may say more behind it.
bool parse(std::string_view text, TraceContext& out) {
  constexpr std::size_t size = 55;
  if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return false;
  const auto version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff" || (version == "00" && text.size() != size)
      || (text.size() > size && text[size] != '-'))
    return false;
  if (!is_id(text.substr(3, trace_digits)) || !is_id(text.substr(36, parent_digits))
      || !is_hex(text.substr(53, 2)))
    return false;
  out.trace_id = text.substr(3, trace_digits);
  out.parent_id = text.substr(36, parent_digits);
  out.flags = text.substr(53, 2);
  return true;
}

}  // namespace

std::string random_hex(std::size_t digits) {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  constexpr std::string_view alphabet = "0123456789abcdef";
  std::string text;
  text.reserve(digits);
  while (text.size() < digits) {
    auto bits = generator();
    for (int i = 0; i < 16 && text.size() < digits; ++i, bits >>= 4U)
      text.push_back(alphabet[bits & 15U]);
  }
  if (text.find_first_not_of('0') == std::string::npos)
    text.back() = '1';
  return text;
}

TraceContext take_trace(const Headers& headers) {
  TraceContext trace;
  const auto* parent = find_header(headers, "traceparent");
  if (parent && parse(*parent, trace)) {
    const auto* state = find_header(headers, "tracestate");
    if (state && state->size() <= longest_state)
      trace.state = *state;
    return trace;
  }
  trace.trace_id = random_hex(trace_digits);
  trace.parent_id = random_hex(parent_digits);
  return trace;
}

std::string take_request_id(const Headers& headers) {
  const auto* given = find_header(headers, "x-request-id");
  const bool fits = given && !given->empty() && given->size() <= longest_request_id
                    && std::ranges::all_of(*given, [](char c) { return c > ' ' && c < 0x7F; });
  return fits ? *given : random_hex(trace_digits);
}

}  // namespace millrace::http
