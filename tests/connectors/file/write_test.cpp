#include "connectors/sdk/format/csv.hpp"
#include "tests/connectors/file/write_fixture.hpp"

#include <algorithm>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace millrace::file {
namespace {

using test::Options;
using test::scalar;
using test::StepDriver;
using ::testing::HasSubstr;

TEST_F(FileWriteTest, WritesAWholeFileThatAppearsAtTheEnd) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({R"({"id":1})", R"({"id":2})"}).empty());
  EXPECT_FALSE(scratch.exists("out.jsonl"));
  ASSERT_TRUE(step.finish());
  EXPECT_EQ(scratch.read("out.jsonl"), "{\"id\":1}\n{\"id\":2}\n");
  EXPECT_EQ(scratch.entries(), 1U);
}

TEST_F(FileWriteTest, LeavesNothingBehindWhereTheRunDidNotFinish) {
  scratch.write("out.jsonl", "old\n");
  {
    const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
    StepDriver step{make()};
    ASSERT_TRUE(step.start());
    EXPECT_TRUE(step.process({"1"}).empty());
  }
  EXPECT_EQ(scratch.read("out.jsonl"), "old\n");
  EXPECT_EQ(scratch.entries(), 1U);
}

TEST_F(FileWriteTest, WritesAnEmptyFileWhereThereWasNoRecord) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  ASSERT_TRUE(step.finish());
  EXPECT_TRUE(scratch.exists("out.jsonl"));
  EXPECT_EQ(scratch.read("out.jsonl"), "");
}

TEST_F(FileWriteTest, GoesOnAfterTheStepDiedAndWasMadeAnew) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver first{make()};
  ASSERT_TRUE(first.start());
  EXPECT_TRUE(first.process({"1"}).empty());
  first.destroy();
  StepDriver second{make()};
  ASSERT_TRUE(second.start());
  EXPECT_TRUE(second.process({"2"}).empty());
  ASSERT_TRUE(second.finish());
  EXPECT_EQ(scratch.read("out.jsonl"), "1\n2\n");
}

TEST_F(FileWriteTest, LetsReplicasShareOneFileUntilTheLastHasFinished) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver first{make()};
  StepDriver second{make()};
  ASSERT_TRUE(first.start());
  ASSERT_TRUE(second.start());
  EXPECT_TRUE(first.process({"1"}).empty());
  EXPECT_TRUE(second.process({"2"}).empty());
  ASSERT_TRUE(first.finish());
  EXPECT_FALSE(scratch.exists("out.jsonl"));
  ASSERT_TRUE(second.finish());
  EXPECT_EQ(scratch.read("out.jsonl"), "1\n2\n");
}

TEST_F(FileWriteTest, TakesOverTheTemporaryFileOfARunThatWasKilled) {
  scratch.write(".out.jsonl.part", "{\"half");
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({"1"}).empty());
  ASSERT_TRUE(step.finish());
  EXPECT_EQ(scratch.read("out.jsonl"), "1\n");
}

TEST_F(FileWriteTest, RefusesAFileThatAnotherRunIsWriting) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  const auto other = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  const auto refused = StepDriver{other()}.start();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("somebody else is writing"));
}

TEST_F(FileWriteTest, AppendsLinesAsTheyCome) {
  scratch.write("out.jsonl", "0\n");
  const auto make = factory(
    {{"path", scalar(scratch.path("out.jsonl"))}, {"mode", scalar("append")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({"1"}).empty());
  EXPECT_EQ(scratch.read("out.jsonl"), "0\n1\n");
}

TEST_F(FileWriteTest, TakesAwayTheTornLineOfARunThatWasKilled) {
  scratch.write("out.jsonl", "{\"id\":1}\n{\"id\":");
  const auto make = factory(
    {{"path", scalar(scratch.path("out.jsonl"))}, {"mode", scalar("append")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({R"({"id":2})"}).empty());
  EXPECT_EQ(scratch.read("out.jsonl"), "{\"id\":1}\n{\"id\":2}\n");
}

TEST_F(FileWriteTest, KeepsALastLineThatOnlyLacksItsLineBreak) {
  scratch.write("out.jsonl", "{\"id\":1}");
  const auto make = factory(
    {{"path", scalar(scratch.path("out.jsonl"))}, {"mode", scalar("append")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({R"({"id":2})"}).empty());
  EXPECT_EQ(scratch.read("out.jsonl"), "{\"id\":1}\n{\"id\":2}\n");
}

TEST_F(FileWriteTest, WritesToTheNewFileAfterSomebodyRotatedTheOldOneAway) {
  const auto make = factory(
    {{"path", scalar(scratch.path("out.jsonl"))}, {"mode", scalar("append")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({"1"}).empty());
  std::filesystem::rename(scratch.path("out.jsonl"), scratch.path("out.1"));
  EXPECT_TRUE(step.process({"2"}).empty());
  EXPECT_EQ(scratch.read("out.1"), "1\n");
  EXPECT_EQ(scratch.read("out.jsonl"), "2\n");
}

TEST_F(FileWriteTest, WritesOneFilePerValueOfThePathAndReopensThem) {
  for (const char* mode : {"whole", "append"}) {
    SCOPED_TRACE(mode);
    const std::string directory = std::string{mode} + "/";
    const auto make = factory({{"path", scalar(scratch.path(directory + "${$.k}.jsonl"))},
                               {"value", scalar("$.v")},
                               {"mode", scalar(mode)},
                               {"max_open", scalar("2")},
                               {"create_directories", scalar("true")}});
    StepDriver step{make()};
    ASSERT_TRUE(step.start());
    for (int round = 0; round < 2; ++round)
      EXPECT_TRUE(step
                    .process({R"({"k":"a","v":1})", R"({"k":"b","v":2})", R"({"k":"c","v":3})",
                              R"({"k":"a","v":4})"})
                    .empty());
    ASSERT_TRUE(step.finish());
    EXPECT_EQ(scratch.read(directory + "a.jsonl"), "1\n4\n1\n4\n");
    EXPECT_EQ(scratch.read(directory + "b.jsonl"), "2\n2\n");
    EXPECT_EQ(scratch.read(directory + "c.jsonl"), "3\n3\n");
  }
}

TEST_F(FileWriteTest, RefusesValuesThatLeadOutOfTheDirectory) {
  const auto make = factory(
    {{"path", scalar(scratch.path("sub/${$.k}"))}, {"create_directories", scalar("true")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  const auto failures = step.process(
    {R"({"k":"../evil"})", R"({"k":""})", R"({"k":"good"})", R"({"x":1})", R"({"k":"a\u0000b"})"});
  ASSERT_EQ(failures.size(), 4U);
  EXPECT_EQ(failures[0].index, 0U);
  EXPECT_EQ(failures[1].index, 1U);
  EXPECT_EQ(failures[2].index, 3U);
  ASSERT_TRUE(step.finish());
  EXPECT_TRUE(scratch.exists("sub/good"));
  EXPECT_FALSE(scratch.exists("evil"));
}

TEST_F(FileWriteTest, WritesCsvWithTheColumnsOfTheFirstRecordOrThoseSaid) {
  {
    const auto make = factory({{"path", scalar(scratch.path("a.csv"))}, {"format", scalar("csv")}});
    StepDriver step{make()};
    ASSERT_TRUE(step.start());
    const auto failures = step.process(
      {R"({"a":1,"b":"x,\"y"})", R"({"b":null,"a":[1]})", R"({"c":1})", "7", R"({"a":""})"});
    ASSERT_EQ(failures.size(), 2U);
    EXPECT_THAT(failures[0].error.message(), HasSubstr("'c' is no column"));
    EXPECT_THAT(failures[1].error.message(), HasSubstr("csv wants an object"));
    ASSERT_TRUE(step.finish());
    EXPECT_EQ(scratch.read("a.csv"), "a,b\n1,\"x,\"\"y\"\n[1],\n,\n");
  }
  const auto make = factory({{"path", scalar(scratch.path("b.csv"))},
                             {"format", scalar("csv")},
                             {"columns", test::sequence({scalar("b")})}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({R"({"a":1,"b":2})", R"({"a":1})"}).empty());
  ASSERT_TRUE(step.finish());
  EXPECT_EQ(scratch.read("b.csv"), "b\n2\n\"\"\n");
}

TEST_F(FileWriteTest, AppendsCsvInTheColumnsThatTheFileHas) {
  scratch.write("a.csv", "b,a\n1,2\n");
  const auto make = factory({{"path", scalar(scratch.path("a.csv"))},
                             {"format", scalar("csv")},
                             {"mode", scalar("append")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({R"({"a":4,"b":3})"}).empty());
  EXPECT_EQ(scratch.read("a.csv"), "b,a\n1,2\n3,4\n");
}

TEST_F(FileWriteTest, WritesGzipThatGrowsAndIsRepaired) {
  const auto path = scratch.path("out.jsonl.gz");
  const auto make = factory({{"path", scalar(path)}, {"mode", scalar("append")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({"1"}).empty());
  EXPECT_TRUE(step.process({"2"}).empty());
  ASSERT_TRUE(step.finish());
  EXPECT_EQ(gunzip(scratch.read("out.jsonl.gz")), "1\n2\n");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 3);
  StepDriver next{make()};
  ASSERT_TRUE(next.start());
  EXPECT_TRUE(next.process({"3"}).empty());
  EXPECT_EQ(gunzip(scratch.read("out.jsonl.gz")), "1\n3\n");
}

TEST_F(FileWriteTest, DoesNotAppendToWhatIsNoGzip) {
  scratch.write("out.gz", "text\n");
  const auto make = factory({{"path", scalar(scratch.path("out.gz"))}, {"mode", scalar("append")}});
  const auto refused = StepDriver{make()}.start();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("no whole gzip file"));
  EXPECT_EQ(scratch.read("out.gz"), "text\n");
}

TEST_F(FileWriteTest, DoesNotWriteABatchWhoseLaneWasRewound) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  auto lane = std::make_shared<sdk::Lane>("test");
  auto batch = test::make_batch({"1"}, lane);
  lane->raise_attempt(0);
  EXPECT_TRUE(step.send(std::move(batch)).get().empty());
  ASSERT_TRUE(step.finish());
  EXPECT_EQ(scratch.read("out.jsonl"), "");
}

TEST_F(FileWriteTest, KeepsTheOrderOfManyBatches) {
  const auto make = factory({{"path", scalar(scratch.path("out.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  std::string expected;
  std::vector<std::future<StepDriver::Failures>> sent;
  for (int i = 0; i < 2'000; ++i) {
    sent.push_back(step.send({std::to_string(i)}));
    expected += std::to_string(i) + "\n";
  }
  for (auto& each : sent)
    EXPECT_TRUE(each.get().empty());
  ASSERT_TRUE(step.finish());
  EXPECT_EQ(scratch.read("out.jsonl"), expected);
}

TEST_F(FileWriteTest, ReplacesTheFileBehindASymbolicLinkAndKeepsItsMode) {
  scratch.write("real.jsonl", "old\n");
  ::chmod(scratch.path("real.jsonl").c_str(), 0640);
  ASSERT_EQ(::symlink(scratch.path("real.jsonl").c_str(), scratch.path("link.jsonl").c_str()), 0);
  const auto make = factory({{"path", scalar(scratch.path("link.jsonl"))}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  EXPECT_TRUE(step.process({"1"}).empty());
  ASSERT_TRUE(step.finish());
  EXPECT_TRUE(std::filesystem::is_symlink(scratch.path("link.jsonl")));
  EXPECT_EQ(scratch.read("real.jsonl"), "1\n");

  struct stat status {};

  ::stat(scratch.path("real.jsonl").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

}  // namespace
}  // namespace millrace::file
