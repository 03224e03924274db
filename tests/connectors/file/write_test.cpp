#include "connectors/file/gzip.hpp"
#include "connectors/sdk/format/csv.hpp"
#include "support/fake_step.hpp"
#include "support/make_connector.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace millrace::file {
extern const sdk::Connector connector;

namespace {

using test::Options;
using test::scalar;
using test::StepDriver;
using ::testing::HasSubstr;

std::string gunzip(std::string_view packed) {
  GzipReader reader;
  reader.feed(packed);
  std::string plain(1 << 20, '\0');
  std::string all;
  while (true) {
    const auto count = reader.read(plain);
    EXPECT_TRUE(count);
    if (!count || *count == 0)
      break;
    all.append(plain, 0, *count);
  }
  EXPECT_TRUE(reader.whole());
  return all;
}

/// No file may become larger while this lives, as on a disk that is full.
class FileSizeLimit {
public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }

  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
  rlimit before_{};
};

class FileWriteTest : public ::testing::Test {
protected:
  sdk::StepFactory factory(Options options) {
    sdk::Diagnostics diagnostics;
    auto made = test::step_factory(connector, "write", std::move(options), diagnostics);
    EXPECT_TRUE(made) << diagnostics.to_string();
    return made;
  }

  test::Scratch scratch;
};

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

TEST_F(FileWriteTest, ReportsAFullDiskForEachRecordAndLeavesNoTornLine) {
  for (const char* name : {"a.jsonl", "b.jsonl.gz"})
    for (const char* mode : {"whole", "append"}) {
      SCOPED_TRACE(std::string{name} + " " + mode);
      const auto make = factory({{"path", scalar(scratch.path(name))}, {"mode", scalar(mode)}});
      StepDriver step{make()};
      ASSERT_TRUE(step.start());
      EXPECT_TRUE(step.process({"\"before\""}).empty());
      std::string noise = "\"";
      for (unsigned i = 0, x = 1; i < 40'000; ++i)
        noise += static_cast<char>('a' + ((x = x * 1'103'515'245 + 12'345) >> 16) % 26);
      noise += '"';
      {
        const FileSizeLimit limit{8'192};
        const auto failures = step.process({"\"small\"", noise});
        ASSERT_EQ(failures.size(), 2U);
        EXPECT_EQ(failures[0].error.kind(), sdk::ErrorKind::io);
        EXPECT_EQ(failures[0].error.code(), "EFBIG");
        EXPECT_THAT(failures[0].error.message(), HasSubstr(scratch.path(name)));
      }
      EXPECT_TRUE(step.process({"\"after\""}).empty());
      ASSERT_TRUE(step.finish());
      const std::string content = scratch.read(name);
      EXPECT_EQ(std::string_view{name}.ends_with(".gz") ? gunzip(content) : content,
                "\"before\"\n\"after\"\n");
      std::filesystem::remove(scratch.path(name));
    }
}

TEST_F(FileWriteTest, ReportsADeviceThatIsFull) {
  const auto make = factory({{"path", scalar("/dev/full")}});
  StepDriver step{make()};
  ASSERT_TRUE(step.start());
  const auto failures = step.process({"1", "2"});
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[1].error.code(), "ENOSPC");
  EXPECT_TRUE(failures[1].error.retryable());
}

TEST_F(FileWriteTest, RefusesToStartWhereItCannotWrite) {
  const auto missing = factory({{"path", scalar(scratch.path("none/out.jsonl"))}});
  const auto refused = StepDriver{missing()}.start();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "ENOENT");
  EXPECT_FALSE(refused.error().retryable());
  const auto directory = factory({{"path", scalar(scratch.path(""))}});
  EXPECT_FALSE(StepDriver{directory()}.start());
}

TEST_F(FileWriteTest, RefusesToStartInADirectoryThatIsNotWritable) {
  std::filesystem::create_directory(scratch.path("locked"));
  std::filesystem::permissions(scratch.path("locked"), std::filesystem::perms::owner_read);
  const auto make = factory({{"path", scalar(scratch.path("locked/out.jsonl"))}});
  constexpr uid_t nobody = 65534;
  const bool is_root = ::geteuid() == 0;  // whom permissions do not bind
  ASSERT_TRUE(!is_root || ::seteuid(nobody) == 0);
  const auto refused = StepDriver{make()}.start();
  ASSERT_TRUE(!is_root || ::seteuid(0) == 0);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), "EACCES");
  EXPECT_THAT(refused.error().message(), HasSubstr("locked/out.jsonl"));
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
