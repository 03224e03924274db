// IRegexp: the regular expressions of match() and search() (RFC 9485), run by RE2 in linear time.
//
//   auto date = IRegexp::compile("[0-9]{4}-[0-9]{2}");
//   if (date && date->matches("2026-05")) …
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace millrace::dsl {

/// Immutable and thread-safe.
class IRegexp {
public:
  /// @returns null where `pattern` is no I-Regexp, or would need more memory or repetitions (1000)
  /// than RE2 gives.
  static std::shared_ptr<const IRegexp> compile(std::string_view pattern);

  /// The same, remembering the last few of this thread: for patterns that come out of records.
  static std::shared_ptr<const IRegexp> cached(std::string_view pattern);

  /// Whether the pattern matches the whole of `text`.
  bool matches(std::string_view text) const;

  /// Whether it matches some part of `text`.
  bool found_in(std::string_view text) const;

  ~IRegexp();
  IRegexp(const IRegexp&) = delete;
  IRegexp& operator=(const IRegexp&) = delete;

private:
  struct Program;
  explicit IRegexp(std::unique_ptr<const Program> program);
  std::unique_ptr<const Program> program_;
};

/// Checks `pattern` against the grammar of RFC 9485 and writes it in RE2's syntax. @returns whether
/// it is valid.
bool translate_iregexp(std::string_view pattern, std::string& out);

}  // namespace millrace::dsl
