// HeadScanner: finds the end of a request's head byte by byte, and refuses what others might read
// otherwise than we do (RFC 9112, sections 2.2, 5.2 and 11.2): a bare CR or LF, a folded line, NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::http {

class HeadScanner {
public:
  enum class Found : std::uint8_t { nothing_yet, end, mistake };

  /// @param bytes all of the head that has come so far; looks only at what is new.
  Found scan(std::string_view bytes) noexcept;

  /// Size of the head with its empty line, after `end`.
  std::size_t size() const noexcept { return at_; }

  const char* mistake() const noexcept { return mistake_; }

  void reset() noexcept { *this = {}; }

private:
  std::size_t at_ = 0;
  std::size_t line_ = 0;  // bytes of the present line
  bool after_cr_ = false;
  const char* mistake_ = "";
};

}  // namespace millrace::http
