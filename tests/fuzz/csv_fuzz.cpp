// Any bytes as CSV: the first two choose the delimiter and how the rest is cut into pieces. However
// it is cut, the same rows come out; nothing is read twice.
#include "connectors/sdk/format/csv.hpp"
#include "connectors/sdk/format/line_scanner.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using millrace::sdk::CsvRow;
using millrace::sdk::LineScanner;

/// Every line with its place and fields, as one text each.
std::vector<std::string> read(std::string_view bytes, char delimiter, std::size_t piece) {
  LineScanner scanner{{.max_line = 256, .chunk = 32, .delimiter = delimiter}};
  CsvRow row{delimiter};
  std::vector<std::string> lines;
  std::uint64_t end = 0;
  const auto take = [&] {
    while (const auto line = scanner.next()) {
      if (line->offset < end)
        std::abort();
      end = line->offset + 1;
      auto& text = lines.emplace_back(std::to_string(line->number));
      if (line->trouble != LineScanner::Trouble::none) {
        text += '!';
      } else if (row.split(line->text)) {
        for (const auto field : row.fields())
          text.append("|").append(field);
      }
    }
  };
  while (!bytes.empty()) {
    const auto room = scanner.room();
    const auto count = std::min({room.size(), bytes.size(), piece});
    std::copy_n(bytes.data(), count, room.data());
    scanner.filled(count);
    bytes.remove_prefix(count);
    take();
  }
  scanner.finish();
  take();
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2)
    return 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const char delimiter = ",;\t|"[data[0] % 4];
  if (read(bytes, delimiter, 1 + data[1] % 64) != read(bytes, delimiter, bytes.size()))
    std::abort();
  return 0;
}
