// What a disk can do to a file that is written: each is reported, and no torn line stays behind.
#include "tests/connectors/file/write_fixture.hpp"

#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace millrace::file {
namespace {

using test::scalar;
using test::StepDriver;
using ::testing::HasSubstr;

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

}  // namespace
}  // namespace millrace::file
