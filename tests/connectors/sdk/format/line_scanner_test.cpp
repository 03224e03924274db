#include "connectors/sdk/format/clean_utf8.hpp"
#include "connectors/sdk/format/line_scanner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace millrace::sdk {
namespace {

struct Found {
  std::string text;
  std::uint64_t offset;
  std::uint64_t number;
  bool too_long;

  bool operator==(const Found&) const = default;
};

// Feeds `stream` in pieces of random sizes.
std::vector<Found> scan(std::string_view stream, LineScanner::Options options,
                        std::mt19937_64& random) {
  LineScanner scanner{options};
  std::vector<Found> found;
  const auto take = [&] {
    while (const auto line = scanner.next())
      found.push_back({std::string{line->text}, line->offset, line->number,
                       line->trouble == LineScanner::Trouble::too_long});
  };
  while (!stream.empty()) {
    const auto room = scanner.room();
    EXPECT_FALSE(room.empty());
    const std::size_t count = std::min({room.size(), stream.size(), 1 + random() % 40});
    std::memcpy(room.data(), stream.data(), count);
    stream.remove_prefix(count);
    scanner.filled(count);
    if (random() % 3 != 0)
      take();
  }
  scanner.finish();
  take();
  return found;
}

std::vector<Found> expected(std::string_view stream, std::size_t max_line) {
  std::vector<Found> lines;
  std::uint64_t offset = 0;
  while (offset < stream.size()) {
    const std::size_t end = std::min(stream.find('\n', offset), stream.size());
    std::string text{stream.substr(offset, end - offset)};
    const bool too_long = text.size() > max_line;
    if (!too_long && text.ends_with('\r'))
      text.pop_back();
    lines.push_back({too_long ? "" : text, offset, lines.size() + 1, too_long});
    offset = end + 1;
  }
  return lines;
}

TEST(LineScannerTest, CutsTheSameLinesHoweverTheStreamIsCut) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 2'000; ++round) {
    std::string stream;
    const std::size_t size = random() % 300;
    for (std::size_t i = 0; i < size; ++i)
      stream += "ab\r\n"[random() % (random() % 4 == 0 ? 4 : 2)];
    const std::size_t max_line = 1 + random() % 40;
    auto found = scan(stream, {.max_line = max_line, .chunk = 1 + random() % 60}, random);
    for (Found& line : found)
      if (line.too_long)
        line.text.clear();
    ASSERT_EQ(found, expected(stream, max_line)) << testing::PrintToString(stream);
  }
}

TEST(LineScannerTest, KeepsTheFirstBytesOfALineOverTheLimit) {
  std::mt19937_64 random{1};
  const auto found = scan("ok\n" + std::string(5'000, 'x') + "\nok", {.max_line = 100}, random);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(found[1].too_long);
  EXPECT_EQ(found[1].text.find_first_not_of('x'), std::string::npos);
  EXPECT_LE(found[1].text.size(), 1'024U);
  EXPECT_GE(found[1].text.size(), 100U);
  EXPECT_EQ(found[2], (Found{"ok", 5'004, 3, false}));
}

TEST(LineScannerTest, ShowsWhatIsNotWholeYet) {
  LineScanner scanner{{.offset = 10}};
  const auto room = scanner.room();
  std::memcpy(room.data(), "a\nbc", 4);
  scanner.filled(4);
  EXPECT_EQ(scanner.next()->text, "a");
  EXPECT_FALSE(scanner.next());
  EXPECT_EQ(scanner.unfinished().text, "bc");
  EXPECT_EQ(scanner.unfinished().offset, 12U);
}

TEST(CleanUtf8Test, KeepsWhatIsValidAndReplacesTheRest) {
  EXPECT_TRUE(is_utf8("plain ascii that is longer than eight bytes, é, €, 😀"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));
  EXPECT_FALSE(is_utf8("12345678\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xE2\x82"));
  EXPECT_EQ(clean_utf8("a\xFF"
                       "b\xE2\x82"),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(clean_utf8("é😀"), "é😀");
}

}  // namespace
}  // namespace millrace::sdk
