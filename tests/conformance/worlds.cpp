#include "tests/conformance/world.hpp"

#include <cctype>

namespace millrace::test {
namespace {

struct All {
  std::vector<Subject<SourceWorld>> sources;
  std::vector<Subject<SinkWorld>> sinks;

  All() {
    for (auto* add : {add_local, add_databases, add_http, add_kafka, add_redis})
      add(sources, sinks);
  }
};

}  // namespace

std::vector<Subject<SourceWorld>> all_sources() {
  return All{}.sources;
}

std::vector<Subject<SinkWorld>> all_sinks() {
  return All{}.sinks;
}

std::string numbered_lines(int from, int to) {
  std::string all;
  for (int n = from; n < to; ++n)
    all += "{\"n\":" + std::to_string(n) + "}\n";
  return all;
}

std::vector<int> numbers_in(const std::string& text) {
  const std::string mark = "\"n\":";
  std::vector<int> all;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    auto digit = at + mark.size();
    if (digit < text.size() && text[digit] == '"')
      ++digit;
    int n = 0;
    auto end = digit;
    for (; end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0; ++end)
      n = n * 10 + (text[end] - '0');
    // A line that is still being written has no end yet.
    if (end > digit && end < text.size())
      all.push_back(n);
  }
  return all;
}

}  // namespace millrace::test
