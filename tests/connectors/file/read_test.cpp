#include "connectors/file/gzip.hpp"
#include "support/fake_events.hpp"
#include "support/make_connector.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace millrace::file {
extern const sdk::Connector connector;

namespace {

using test::Options;
using test::scalar;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string gzip(std::string_view text) {
  GzipWriter writer;
  writer.begin();
  writer.add(text);
  return std::string{writer.end()};
}

class FileReadTest : public ::testing::Test {
protected:
  sdk::SourcePtr make(Options options) {
    sdk::Diagnostics diagnostics;
    auto factory = test::source_factory(connector, "read", std::move(options), diagnostics);
    EXPECT_TRUE(factory) << diagnostics.to_string();
    return factory();
  }

  // Reads to the end.
  void read(Options options) {
    source = make(std::move(options));
    const auto started = source->start(events.context());
    ASSERT_TRUE(started) << started.error().message();
    ASSERT_TRUE(events.wait_for_end());
    source.reset();
    EXPECT_FALSE(events.late());
  }

  sdk::Error refused(Options options) {
    source = make(std::move(options));
    const auto started = source->start(events.context());
    EXPECT_FALSE(started);
    return started ? sdk::Error{sdk::ErrorKind::internal, "started"} : started.error();
  }

  test::Scratch scratch;
  test::FakeEvents events;
  sdk::SourcePtr source;
};

TEST_F(FileReadTest, ReadsJsonLines) {
  read({{"path", scalar(scratch.write("in.jsonl", "{\"id\":1}\n{\"id\":2}\n"))}});
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"id":1})", R"({"id":2})"));
  EXPECT_THAT(events.errors(), IsEmpty());
}

TEST_F(FileReadTest, ReadsALastLineWithoutItsLineBreakAndLinesThatEndInCrLf) {
  read(
    {{"path", scalar(scratch.write("in.jsonl", "\xEF\xBB\xBF{\"id\":1}\r\n\r\n  \n{\"id\":2}"))}});
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"id":1})", R"({"id":2})"));
}

TEST_F(FileReadTest, TakesTheByteOffsetAsPosition) {
  read({{"path", scalar(scratch.write("in.jsonl", "1\n22\n333\n"))}});
  const auto& records = events.intakes().front().records;
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1].position, 2U);
  EXPECT_EQ(records[2].position, 5U);
}

TEST_F(FileReadTest, SaysWhereARecordStoodWhereSomebodyAsks) {
  const auto path = scratch.write("in.text", "a\nb\n");
  source = make({{"path", scalar(path)}, {"format", scalar("text")}});
  auto context = events.context();
  context.meta = test::FakeEvents::meta;
  ASSERT_TRUE(source->start(context));
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_EQ(sdk::to_json(events.intakes().front().records[1].get(test::FakeEvents::meta)),
            R"({"path":")" + path + R"(","line":2,"offset":2})");
}

TEST_F(FileReadTest, FailsBadLinesWithTheirPlaceAndReadsTheRest) {
  const auto path = scratch.write("in.jsonl",
                                  "{\"id\":1}\n{\"id\":\n\"\xFF\xFE\"\n{\"id\":1}}\n{\"id\":2}\n");
  read({{"path", scalar(path)}});
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"id":1})", R"({"id":2})"));
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr(path + ":2: "), HasSubstr(path + ":3: "),
                                           HasSubstr(path + ":4: ")));
  EXPECT_THAT(events.raw_texts(),
              ElementsAre("{\"id\":", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"", "{\"id\":1}}"));
}

TEST_F(FileReadTest, ReadsTheFilesOfAPatternSortedEachAsALane) {
  scratch.write("b.jsonl", "2\n");
  scratch.write("a.jsonl", "1\n");
  scratch.write("c.text", "x\n");
  std::filesystem::create_directory(scratch.path("d.jsonl"));
  read({{"path", scalar(scratch.path("*.jsonl"))}});
  ASSERT_EQ(events.intakes().size(), 2U);
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2"));
  EXPECT_THAT(events.intakes()[0].lane->name(), EndsWith("a.jsonl"));
  EXPECT_THAT(events.intakes()[1].lane->name(), EndsWith("b.jsonl"));
}

TEST_F(FileReadTest, TakesANameWithPatternCharactersAsItIs) {
  read({{"path", scalar(scratch.write("a[1].jsonl", "1\n"))}});
  EXPECT_THAT(events.payloads(), ElementsAre("1"));
}

TEST_F(FileReadTest, RefusesToStartWhereNothingIsThere) {
  EXPECT_EQ(refused({{"path", scalar(scratch.path("none.jsonl"))}}).code(), "ENOENT");
  EXPECT_THAT(refused({{"path", scalar(scratch.path("*.jsonl"))}}).message(),
              HasSubstr("no file matches"));
  EXPECT_EQ(refused({{"path", scalar(scratch.path(""))}}).code(), "EISDIR");
  EXPECT_FALSE(refused({{"path", scalar(scratch.path("none.jsonl"))}}).retryable());
}

TEST_F(FileReadTest, ReportsAFileThatCannotBeOpenedAndReadsTheOthers) {
  scratch.write("a.jsonl", "1\n");
  ASSERT_EQ(::symlink("/nonexistent/file", scratch.path("b.jsonl").c_str()), 0);
  scratch.write("c.jsonl", "3\n");
  read({{"path", scalar(scratch.path("*.jsonl"))}});
  EXPECT_THAT(events.payloads(), ElementsAre("1", "3"));
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("b.jsonl")));
}

TEST_F(FileReadTest, ReadsAFileToItsEndThatVanishesMeanwhile) {
  std::string lines;
  for (int i = 0; i < 100'000; ++i)
    lines += "{\"id\":" + std::to_string(i) + "}\n";
  const auto path = scratch.write("in.jsonl", lines);
  events.set_credit(1);
  source = make({{"path", scalar(path)}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_until_out_of_credit());
  std::filesystem::remove(path);
  events.set_credit(1'000'000);
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_EQ(events.records(), 100'000U);
}

TEST_F(FileReadTest, ReportsAFileThatBecameShorterMeanwhile) {
  std::string lines;
  for (int i = 0; i < 100'000; ++i)
    lines += "{\"id\":" + std::to_string(i) + "}\n";
  const auto path = scratch.write("in.jsonl", lines);
  events.set_credit(1);
  source = make({{"path", scalar(path)}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_until_out_of_credit());
  std::filesystem::resize_file(path, 10);
  events.set_credit(1'000'000);
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("became shorter")));
}

TEST_F(FileReadTest, PassesByALineOverTheLimit) {
  const auto path = scratch.write("in.jsonl", "1\n\"" + std::string(3'000'000, 'x') + "\"\n3\n\""
                                                + std::string(700'000, 'y') + "\"\n");
  read({{"path", scalar(path)}});
  EXPECT_THAT(events.errors(),
              ElementsAre(HasSubstr(":2: the line is longer than 'max_line' allows")));
  EXPECT_EQ(events.records(), 4U);
  EXPECT_EQ(events.raw_texts().front().size(), 1024U);
}

TEST_F(FileReadTest, ReadsALineOfAGigabyteWithFlatMemory) {
  const auto path = scratch.path("in.jsonl");
  {
    std::FILE* file = std::fopen(path.c_str(), "w");
    const std::string block(1 << 20, 'x');
    for (int i = 0; i < 1024; ++i)
      std::fwrite(block.data(), 1, block.size(), file);
    std::fputs("\n{\"id\":2}\n", file);
    std::fclose(file);
  }
  rusage before{};
  ::getrusage(RUSAGE_SELF, &before);
  read({{"path", scalar(path)}});
  rusage after{};
  ::getrusage(RUSAGE_SELF, &after);
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr(":1: the line is longer")));
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"id":2})"));
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 16 * 1024);  // KiB
}

TEST_F(FileReadTest, ReadsGzipByNameAndByItsFirstBytesAndSeveralMembers) {
  scratch.write("a.jsonl.gz", gzip("1\n2") + gzip("2\n3\n"));
  scratch.write("b.jsonl", gzip("4\n"));
  read({{"path", scalar(scratch.path("*"))}});
  EXPECT_THAT(events.payloads(), ElementsAre("1", "22", "3", "4"));
  EXPECT_THAT(events.errors(), IsEmpty());
}

TEST_F(FileReadTest, ReportsGzipThatEndsTooEarlyOrIsDamagedAndKeepsWhatWasWhole) {
  std::string lines;
  for (int i = 0; i < 20'000; ++i)
    lines += "{\"id\":" + std::to_string(i * 7919) + "}\n";
  const std::string packed = gzip(lines);
  scratch.write("a.jsonl.gz", packed.substr(0, packed.size() / 2));
  std::string damaged = packed;
  for (std::size_t i = damaged.size() / 2; i < damaged.size() / 2 + 64; ++i)
    damaged[i] = '\x55';
  scratch.write("b.jsonl.gz", damaged);
  scratch.write("c.jsonl.gz", "this is not gzip\n");
  scratch.write("d.jsonl.gz", "");
  scratch.write("e.jsonl.gz", gzip("7\n"));
  read({{"path", scalar(scratch.path("*"))}});
  // Damage may show only at the end, by the checksum; what was made of it before fails line by
  // line.
  const auto errors = events.errors();
  EXPECT_THAT(errors.front(), AllOf(HasSubstr("a.jsonl.gz"), HasSubstr("ends too early")));
  EXPECT_THAT(errors, Contains(AllOf(HasSubstr("b.jsonl.gz"), HasSubstr("damaged"))));
  EXPECT_THAT(errors, Contains(HasSubstr("c.jsonl.gz")));
  EXPECT_THAT(errors.back(), AllOf(HasSubstr("d.jsonl.gz"), HasSubstr("ends too early")));
  EXPECT_GT(events.payloads().size(), 9'000U);
  EXPECT_EQ(events.payloads().front(), R"({"id":0})");
  EXPECT_EQ(events.payloads().back(), "7");
}

TEST_F(FileReadTest, ReadsCsv) {
  read(
    {{"path", scalar(scratch.write("in.csv", "id;name\r\n1;\"a \"\"b\"\"\r\nc;\"\r\n\r\n2;\r\n"))},
     {"format", scalar("csv")},
     {"delimiter", scalar(";")}});
  EXPECT_THAT(events.payloads(),
              ElementsAre(R"({"id":"1","name":"a \"b\"\r\nc;"})", R"({"id":"2","name":""})"));
  EXPECT_THAT(events.errors(), IsEmpty());
}

TEST_F(FileReadTest, FailsCsvRowsThatAreRaggedOrBadlyQuotedAndReadsTheRest) {
  read({{"path", scalar(scratch.write(
                   "in.csv", "a,b\n1,2\n1\n1,2,3\nx\"y,2\n\"x\"y,2\n3,4\n\"never,closed\n5,6\n"))},
        {"format", scalar("csv")}});
  EXPECT_THAT(events.payloads(),
              ElementsAre(R"({"a":"1","b":"2"})", R"({"a":"3","b":"4"})", R"({"a":"5","b":"6"})"));
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr(":3: the row has 1 fields"),
                                           HasSubstr(":4: the row has 3 fields"),
                                           HasSubstr(":5: bad csv at column 2"),
                                           HasSubstr(":6: bad csv at column 4"),
                                           HasSubstr(":8: a quoted field is never closed")));
}

TEST_F(FileReadTest, ReadsNothingOfCsvWithoutAHeaderThatMakesSense) {
  read({{"path", scalar(scratch.write("in.csv", "a,a\n1,2\n3,4\n"))}, {"format", scalar("csv")}});
  EXPECT_THAT(events.payloads(), IsEmpty());
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("names the column 'a' twice")));
}

TEST_F(FileReadTest, ReadsTextAndRefusesWhatIsNoUtf8) {
  read({{"path", scalar(scratch.write("in.txt", "one\n\n\xC3(\nthree\n"))},
        {"format", scalar("text")}});
  EXPECT_THAT(events.payloads(), ElementsAre("\"one\"", "\"\"", "\"three\""));
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr(":3: the line is not valid UTF-8")));
}

TEST_F(FileReadTest, NeverEmitsWithoutCredit) {
  std::string lines;
  for (int i = 0; i < 5'000; ++i)
    lines += "1\n";
  events.set_credit(1'000);
  source = make({{"path", scalar(scratch.write("in.jsonl", lines))}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_until_out_of_credit());
  EXPECT_EQ(events.records(), 1'024U);
  EXPECT_LE(events.largest_intake(), 512U);
  events.set_credit(10'000);
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_EQ(events.records(), 5'000U);
}

TEST_F(FileReadTest, EndsSoonWhenItIsStoppedWhileItWaitsForCredit) {
  events.set_credit(0);
  source = make({{"path", scalar(scratch.write("in.jsonl", "1\n"))}});
  ASSERT_TRUE(source->start(events.context()));
  ASSERT_TRUE(events.wait_until_out_of_credit());
  events.stop();
  source->stop();
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_EQ(events.records(), 0U);
}

TEST_F(FileReadTest, LeavesNoDescriptorOpen) {
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"},
                         std::filesystem::directory_iterator{});
  };
  const auto before = open_descriptors();
  scratch.write("a.jsonl", "1\n");
  scratch.write("b.jsonl", gzip("1\n"));
  read({{"path", scalar(scratch.path("*"))}});
  source.reset();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(FileReadTest, ReportsEveryMistakeInItsOptions) {
  sdk::Diagnostics diagnostics;
  const auto factory = test::source_factory(connector, "read",
                                            {{"pth", scalar("x")},
                                             {"delimiter", scalar(";;")},
                                             {"from", scalar("end")},
                                             {"max_line", scalar("0")}},
                                            diagnostics);
  EXPECT_FALSE(factory);
  const std::string text = diagnostics.to_string();
  EXPECT_THAT(text, HasSubstr("did you mean 'path'?"));
  EXPECT_THAT(text, HasSubstr("'delimiter' must be one character"));
  EXPECT_THAT(text, HasSubstr("csv only"));
  EXPECT_THAT(text, HasSubstr("'tail' only"));
  EXPECT_THAT(text, HasSubstr("'max_line' must be"));
}

}  // namespace
}  // namespace millrace::file
