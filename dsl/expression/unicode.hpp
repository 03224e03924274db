// UTF-8 by code point: what JSONPath's length(), names and I-Regexp count in.
//
//   std::size_t at = 0;
//   while (at < text.size()) use(next_code_point(text, at));
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::dsl {

/// What next_code_point gives for a byte that begins no valid sequence.
inline constexpr char32_t no_code_point = 0xFFFFFFFF;

/// Reads the code point at `at` and moves behind it. Where the bytes are no UTF-8 (overlong,
/// surrogate, cut off) it moves by one byte and gives `no_code_point`.
char32_t next_code_point(std::string_view text, std::size_t& at) noexcept;

/// Appends a Unicode scalar value.
void append_code_point(std::string& out, char32_t code_point);

/// Number of Unicode scalar values in valid UTF-8.
std::size_t count_code_points(std::string_view text) noexcept;

}  // namespace millrace::dsl
