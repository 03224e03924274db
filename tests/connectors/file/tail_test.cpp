#include "connectors/file/gzip.hpp"
#include "support/fake_events.hpp"
#include "support/make_connector.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace millrace::file {
extern const sdk::Connector connector;

namespace {

using test::Options;
using test::scalar;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileTailTest : public ::testing::Test {
protected:
  void start(Options options, bool once = false) {
    options.emplace_back("tail", scalar("true"));
    sdk::Diagnostics diagnostics;
    const auto factory = test::source_factory(connector, "read", std::move(options), diagnostics);
    ASSERT_TRUE(factory) << diagnostics.to_string();
    source = factory();
    const auto started = source->start(events.context(once));
    ASSERT_TRUE(started) << started.error().message();
  }

  void stop() {
    source->stop();
    ASSERT_TRUE(events.wait_for_end());
    EXPECT_FALSE(events.late());
  }

  test::Scratch scratch;
  test::FakeEvents events;
  sdk::SourcePtr source;
};

TEST_F(FileTailTest, FollowsWhatIsAppendedAndWaitsForWholeLines) {
  start({{"path", scalar(scratch.write("a.jsonl", "1\n2"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  scratch.append("a.jsonl", "2\n3\n");
  ASSERT_TRUE(events.wait_for_records(3));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1", "22", "3"));
  EXPECT_EQ(events.intakes()[0].lane, events.intakes()[1].lane);
}

TEST_F(FileTailTest, EndsAtTheEndOfTheFileWhenItRunsOnce) {
  start({{"path", scalar(scratch.write("a.jsonl", "1\n2"))}}, true);
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2"));
}

TEST_F(FileTailTest, WaitsForAFileThatIsNotThereYet) {
  start({{"path", scalar(scratch.path("a.jsonl"))}});
  scratch.write("other.jsonl", "7\n");
  scratch.write("a.jsonl", "1\n");
  ASSERT_TRUE(events.wait_for_records(1));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1"));
}

TEST_F(FileTailTest, FollowsNewFilesThatMatchThePattern) {
  scratch.write("a.jsonl", "1\n");
  start({{"path", scalar(scratch.path("*.jsonl"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  scratch.write("b.jsonl", "2\n");
  ASSERT_TRUE(events.wait_for_records(2));
  stop();
  EXPECT_NE(events.intakes()[0].lane, events.intakes()[1].lane);
}

TEST_F(FileTailTest, ReadsARotatedFileToItsEndAndThenTheNewOne) {
  start({{"path", scalar(scratch.write("a.jsonl", "1\n"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  std::filesystem::rename(scratch.path("a.jsonl"), scratch.path("a.jsonl.1"));
  scratch.append("a.jsonl.1", "2\n");  // its writer has not noticed yet
  ASSERT_TRUE(events.wait_for_records(2));
  scratch.write("a.jsonl", "3\n");
  ASSERT_TRUE(events.wait_for_records(3));
  scratch.append("a.jsonl.1", "4");  // and still has not
  std::filesystem::remove(scratch.path("a.jsonl.1"));
  ASSERT_TRUE(events.wait_for_records(4));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(FileTailTest, DoesNotReadARenamedFileAgainThatStillMatches) {
  scratch.write("a.jsonl", "1\n");
  start({{"path", scalar(scratch.path("a.jsonl*"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  std::filesystem::rename(scratch.path("a.jsonl"), scratch.path("a.jsonl.1"));
  scratch.write("a.jsonl", "2\n");
  ASSERT_TRUE(events.wait_for_records(2));
  scratch.append("a.jsonl.1", "3\n");
  ASSERT_TRUE(events.wait_for_records(3));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2", "3"));
}

TEST_F(FileTailTest, BeginsAgainWhereAFileWasTruncated) {
  start({{"path", scalar(scratch.write("a.jsonl", "1\n2\n"))}});
  ASSERT_TRUE(events.wait_for_records(2));
  scratch.write("a.jsonl", "3\n");
  ASSERT_TRUE(events.wait_for_records(3));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(events.errors(), IsEmpty());
}

TEST_F(FileTailTest, PassesByWhatIsThereWhereItBeginsAtTheEnd) {
  start({{"path", scalar(scratch.write("a.jsonl", "1\n2"))}, {"from", scalar("end")}});
  // The line that is not whole yet is new.
  scratch.append("a.jsonl", "2\n3\n");
  ASSERT_TRUE(events.wait_for_records(2));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("22", "3"));
  EXPECT_EQ(events.intakes().front().records.front().position, 2U);
}

TEST_F(FileTailTest, ReadsGzipToItsEnd) {
  GzipWriter writer;
  writer.begin();
  writer.add("1\n");
  scratch.write("a.gz", writer.end());
  start({{"path", scalar(scratch.path("*"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  scratch.write("b.jsonl", "2\n");
  ASSERT_TRUE(events.wait_for_records(2));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2"));
}

TEST_F(FileTailTest, ReportsAFileThatItCannotOpenOnceAndFollowsTheOthers) {
  std::filesystem::create_directory(scratch.path("a.jsonl"));
  start({{"path", scalar(scratch.path("a.jsonl"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  scratch.write("other", "");
  std::filesystem::remove(scratch.path("a.jsonl"));
  scratch.write("a.jsonl", "1\n");
  ASSERT_TRUE(events.wait_for_records(2));
  stop();
  EXPECT_THAT(events.payloads(), ElementsAre("1"));
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("Is a directory")));
}

TEST_F(FileTailTest, StopsSoonWhileNothingHappens) {
  start({{"path", scalar(scratch.write("a.jsonl", "1\n"))}});
  ASSERT_TRUE(events.wait_for_records(1));
  stop();
}

}  // namespace
}  // namespace millrace::file
