#include "dsl/expression/iregexp.hpp"

#include <algorithm>
#include <re2/re2.h>
#include <vector>

namespace millrace::dsl {

struct IRegexp::Program {
  explicit Program(const std::string& pattern, const re2::RE2::Options& options)
    : regex{pattern, options} {}

  re2::RE2 regex;
};

IRegexp::IRegexp(std::unique_ptr<const Program> program) : program_{std::move(program)} {
}

IRegexp::~IRegexp() = default;

std::shared_ptr<const IRegexp> IRegexp::compile(std::string_view pattern) {
  std::string translated;
  if (!translate_iregexp(pattern, translated))
    return nullptr;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  auto program = std::make_unique<const Program>(translated, options);
  if (!program->regex.ok())
    return nullptr;
  return std::shared_ptr<const IRegexp>{new IRegexp{std::move(program)}};
}

std::shared_ptr<const IRegexp> IRegexp::cached(std::string_view pattern) {
  struct Entry {
    std::string pattern;
    std::shared_ptr<const IRegexp> regex;  // null: no valid pattern
  };

  constexpr std::size_t capacity = 16;
  // The one used last stands first.
  thread_local std::vector<Entry> entries;
  const auto known = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.pattern == pattern; });
  if (known != entries.end()) {
    std::rotate(entries.begin(), known, known + 1);
    return entries.front().regex;
  }
  if (entries.size() == capacity)
    entries.pop_back();
  entries.insert(entries.begin(), Entry{std::string{pattern}, compile(pattern)});
  return entries.front().regex;
}

bool IRegexp::matches(std::string_view text) const {
  return re2::RE2::FullMatch({text.data(), text.size()}, program_->regex);
}

bool IRegexp::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch({text.data(), text.size()}, program_->regex);
}

}  // namespace millrace::dsl
