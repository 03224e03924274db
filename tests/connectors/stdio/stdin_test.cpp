#include "connectors/stdio/source.hpp"
#include "support/fake_events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <unistd.h>

namespace millrace::stdio {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class StdinTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading = sdk::Descriptor{ends[0]};
    writing = sdk::Descriptor{ends[1]};
  }

  void start(sdk::ReadFormat format = {}) {
    source = std::make_unique<StdinSource>(std::make_shared<sdk::ReadFormat>(format),
                                           reading.get());
    ASSERT_TRUE(source->start(events.context(false)));
  }

  void write(std::string_view text) {
    ASSERT_EQ(::write(writing.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  sdk::Descriptor reading;
  sdk::Descriptor writing;
  test::FakeEvents events;
  std::unique_ptr<StdinSource> source;
};

TEST_F(StdinTest, HandsLinesOverAsTheyComeAndEndsWithThePipe) {
  start();
  write("{\"id\":1}\n{\"id\"");
  ASSERT_TRUE(events.wait_for_records(1));
  write(":2}\n3");
  ASSERT_TRUE(events.wait_for_records(2));
  writing.close();
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"id":1})", R"({"id":2})", "3"));
}

TEST_F(StdinTest, EndsSoonWhenItIsStoppedWhileNothingComes) {
  start();
  write("1\n");
  ASSERT_TRUE(events.wait_for_records(1));
  events.stop();
  source->stop();
  EXPECT_TRUE(events.wait_for_end());
  source->stop();
}

TEST_F(StdinTest, FailsABadLineWithItsPlaceAndReadsTheRest) {
  start();
  write("1\n{\n\xFF\n2\n");
  writing.close();
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(), ElementsAre("1", "2"));
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("stdin:2: "), HasSubstr("stdin:3: ")));
}

TEST_F(StdinTest, ReadsCsv) {
  start({.format = sdk::Format::csv});
  write("a,b\n1,2\n");
  writing.close();
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.payloads(), ElementsAre(R"({"a":"1","b":"2"})"));
}

TEST_F(StdinTest, RefusesToStartWhereStandardInputIsClosed) {
  constexpr int closed = 987;
  StdinSource without{std::make_shared<sdk::ReadFormat>(), closed};
  const auto started = without.start(events.context());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code(), "EBADF");
}

TEST_F(StdinTest, ReportsWhatCannotBeRead) {
  const sdk::Descriptor directory{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  StdinSource broken{std::make_shared<sdk::ReadFormat>(), directory.get()};
  ASSERT_TRUE(broken.start(events.context()));
  ASSERT_TRUE(events.wait_for_end());
  EXPECT_THAT(events.errors(), ElementsAre(HasSubstr("cannot read standard input")));
}

}  // namespace
}  // namespace millrace::stdio
