// Diagnostics: what is wrong in a file that a user wrote, where, and what to do about it.
//
//   pipelines/orders.yaml:8:14: error: kafka source 'orders' has no option 'topci'
//     hint: did you mean 'topic'?
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::sdk {

/// A place in a file; line and column count from 1, columns in bytes. Line 0: the file as a whole.
struct Place {
  std::shared_ptr<const std::string> file;  // as the user named it; null for text without a file
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  /// "file:line:col", as far as known.
  std::string to_string() const;
};

enum class Severity : std::uint8_t { error, warning, note };

struct Diagnostic {
  Severity severity = Severity::error;
  Place place;
  std::string message;
  std::string hint;  // may be empty

  /// One line, or two with a hint; no line break at the end.
  std::string to_string() const;
};

/// Collects all mistakes of one pass.
class Diagnostics {
public:
  void error(Place place, std::string message, std::string hint = {});
  void warning(Place place, std::string message, std::string hint = {});
  void note(Place place, std::string message);

  bool has_errors() const noexcept { return errors_ > 0; }

  std::size_t error_count() const noexcept { return errors_; }

  const std::vector<Diagnostic>& all() const noexcept { return all_; }

  /// By file, line and column, each once; notes stay behind what they explain.
  void sort();

  /// All of them, one per line.
  std::string to_string() const;

private:
  std::vector<Diagnostic> all_;
  std::size_t errors_ = 0;
};

/// The candidate nearest to `word` by edit distance, if it is near enough to be a slip; else empty.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

/// "did you mean 'topic'?", or empty where no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates);

/// "csv, jsonl, text".
std::string joined(const std::vector<std::string_view>& words);

}  // namespace millrace::sdk
