// CSV read back as it was written, whatever stands in its fields and wherever the bytes are cut.
#include "connectors/sdk/format/csv.hpp"
#include "connectors/sdk/format/line_scanner.hpp"
#include "connectors/sdk/format/record_decoder.hpp"
#include "connectors/sdk/format/record_encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace millrace::sdk {
namespace {

using Row = std::vector<std::string>;
using Table = std::vector<Row>;

/// What a row reads as, or the reason why not.
struct Reading {
  Table rows;
  std::vector<std::string> problems;  // "line 3: …"
};

/// Feeds the text in pieces of random length, as a pipe might.
Reading read_csv(std::string_view text, char delimiter, std::mt19937& random, std::size_t longest,
                 std::size_t max_line = 1 << 20) {
  LineScanner scanner{{.max_line = max_line, .chunk = 16, .delimiter = delimiter}};
  CsvRow row{delimiter};
  Reading out;
  const auto take = [&] {
    while (const auto line = scanner.next()) {
      const std::string place = "line " + std::to_string(line->number) + ": ";
      if (line->trouble == LineScanner::Trouble::too_long) {
        out.problems.push_back(place + "too long");
      } else if (line->trouble == LineScanner::Trouble::unclosed_quote) {
        out.problems.push_back(place + "never closed");
      } else if (const auto split = row.split(line->text); !split) {
        out.problems.push_back(place + split.error().message());
      } else {
        out.rows.emplace_back(row.fields().begin(), row.fields().end());
      }
    }
  };
  while (!text.empty()) {
    const auto room = scanner.room();
    const auto count = std::min({room.size(), text.size(), 1 + random() % longest});
    std::copy_n(text.data(), count, room.data());
    scanner.filled(count);
    text.remove_prefix(count);
    take();
  }
  scanner.finish();
  take();
  return out;
}

std::string random_field(std::mt19937& random, char delimiter) {
  static const std::vector<std::string> parts{"a", "é", "\"", "\"\"", "\n", "\r\n",        "\r",
                                              " ", "1", ",",  ";",    "\t", "\xEF\xBB\xBF"};
  std::string field;
  for (auto count = random() % 5; count > 0; --count)
    field += random() % 6 == 0 ? std::string{delimiter} : parts[random() % parts.size()];
  return field;
}

TEST(CsvPropertyTest, ReadsBackWhatWasWrittenHoweverTheBytesAreCut) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 3000; ++round) {
    const char delimiter = ",;\t|"[random() % 4];
    WriteFormat format{.format = Format::csv};
    format.csv.delimiter = delimiter;
    const auto columns = 1 + random() % 4;
    for (std::size_t i = 0; i < columns; ++i)
      format.csv.columns.push_back("c" + std::to_string(i));
    RecordEncoder encoder{format};
    Table table{Row(format.csv.columns.begin(), format.csv.columns.end())};
    std::string text;
    for (auto rows = random() % 6; rows > 0; --rows) {
      Row row;
      Value record = Value::object();
      for (const auto& column : format.csv.columns) {
        row.push_back(random_field(random, delimiter));
        record.set(column, row.back());
      }
      ASSERT_TRUE(encoder.append(text, record));
      table.push_back(std::move(row));
    }
    text.insert(0, encoder.header());
    const auto reading = read_csv(text, delimiter, random, 1 + random() % 40);
    ASSERT_TRUE(reading.problems.empty()) << reading.problems.front() << "\n" << text;
    ASSERT_EQ(reading.rows, table) << text;
  }
}

TEST(CsvPropertyTest, WritesNoRowThatLooksLikeABlankLine) {
  for (const auto* field : {"", " ", "\t", " \t "}) {
    WriteFormat format{.format = Format::csv};
    format.csv.columns = {"a"};
    std::string text;
    ASSERT_TRUE(RecordEncoder{format}.append(text, Value::object({{"a", field}})));
    text.pop_back();
    EXPECT_FALSE(RecordDecoder{ReadFormat{.format = Format::csv}}.skips(text))
      << '[' << field << ']';
  }
}

TEST(CsvPropertyTest, SaysInWhichLineAnOpenQuoteBegan) {
  std::mt19937 random{1};
  const auto reading = read_csv("a,b\n1,\"x\n2,y\n3,z\n", ',', random, 3);
  EXPECT_EQ(reading.problems, std::vector<std::string>{"line 2: never closed"});
  EXPECT_EQ(reading.rows, (Table{{"a", "b"}, {"2", "y"}, {"3", "z"}}));
}

TEST(CsvPropertyTest, CountsLinesAcrossQuotedBreaks) {
  std::mt19937 random{2};
  const auto reading = read_csv("\"a\n\nb\",1\r\nx\"y,2\r\n", ',', random, 2);
  EXPECT_EQ(reading.rows, (Table{{"a\n\nb", "1"}}));
  ASSERT_EQ(reading.problems.size(), 1u);
  EXPECT_EQ(reading.problems.front().substr(0, 8), "line 4: ");
}

TEST(CsvPropertyTest, PassesByARecordOverTheLimit) {
  std::mt19937 random{3};
  const auto reading = read_csv("a,b\n" + std::string(500, 'x') + "\nc,d\n", ',', random, 30, 64);
  EXPECT_EQ(reading.problems, std::vector<std::string>{"line 2: too long"});
  EXPECT_EQ(reading.rows, (Table{{"a", "b"}, {"c", "d"}}));
}

TEST(CsvPropertyTest, KeepsAQuotedHeaderBehindAByteOrderMarkWhole) {
  const std::string_view header = "\xEF\xBB\xBF\"a\nb\",c";
  LineScanner scanner{{.delimiter = ','}};
  std::ranges::copy(header, scanner.room().data());
  scanner.filled(header.size());
  scanner.finish();
  const auto line = scanner.next();
  ASSERT_TRUE(line);
  EXPECT_EQ(line->text, header);
}

TEST(CsvPropertyTest, JudgesALongRecordWithLineBreaksTheSameHoweverItIsCut) {
  const std::string text = "1,\"a\nb\"" + std::string(100, ',') + "\n2\n";
  std::mt19937 random{5};
  for (const std::size_t longest : {1u, 7u, 1000u}) {
    const auto reading = read_csv(text, ',', random, longest, 64);
    EXPECT_EQ(reading.problems, std::vector<std::string>{"line 1: too long"});
    EXPECT_EQ(reading.rows, Table{{"2"}});
  }
}

}  // namespace
}  // namespace millrace::sdk
