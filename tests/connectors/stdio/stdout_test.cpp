#include "connectors/sdk/descriptor.hpp"
#include "connectors/stdio/step.hpp"
#include "support/fake_step.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>

namespace millrace::stdio {
namespace {

class StdoutTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading = sdk::Descriptor{ends[0]};
    writing = sdk::Descriptor{ends[1]};
  }

  void start(StdoutConfig config) {
    driver.emplace(std::make_unique<StdoutStep>(std::make_shared<StdoutConfig>(std::move(config)),
                                                writing.get()));
    ASSERT_TRUE(driver->start());
  }

  // All that was written; ends the step.
  std::string output() {
    EXPECT_TRUE(driver->finish());
    driver.reset();
    writing.close();
    std::string text;
    std::array<char, 4096> block{};
    for (ssize_t count = 0; (count = ::read(reading.get(), block.data(), block.size())) > 0;)
      text.append(block.data(), static_cast<std::size_t>(count));
    return text;
  }

  sdk::Descriptor reading;
  sdk::Descriptor writing;
  std::optional<test::StepDriver> driver;
};

TEST_F(StdoutTest, WritesJsonLines) {
  start({});
  EXPECT_TRUE(driver->process({R"({"id":1})", "2"}).empty());
  EXPECT_EQ(output(), "{\"id\":1}\n2\n");
}

TEST_F(StdoutTest, WritesCsvWithOneHeader) {
  start({.format = {.format = sdk::Format::csv}});
  EXPECT_TRUE(driver->process({R"({"a":1})"}).empty());
  EXPECT_TRUE(driver->process({R"({"a":2})"}).empty());
  EXPECT_EQ(output(), "a\n1\n2\n");
}

TEST_F(StdoutTest, WritesATableThatFitsItsFirstRows) {
  start({.table = true});
  auto first = driver->send({R"({"customer":"Ann","score":7})"});
  auto second = driver->send(
    {R"({"customer":"Barnabas","score":12})", R"({"customer":null,"score":1.5})"});
  EXPECT_EQ(output(), "customer  score\n"
                      "--------  -----\n"
                      "Ann           7\n"
                      "Barnabas     12\n"
                      "            1.5\n");
  EXPECT_TRUE(first.get().empty());
  EXPECT_TRUE(second.get().empty());
}

TEST_F(StdoutTest, ShowsTheFirstRowsOfATableEvenWhereNoMoreCome) {
  start({.table = true});
  EXPECT_TRUE(driver->process({R"({"a":1})"}).empty());  // comes back without a finish
  EXPECT_EQ(output(), "a\n-\n1\n");
}

TEST_F(StdoutTest, NamesTheColumnsAgainWhereARowBringsNewOnes) {
  start({.table = true});
  EXPECT_TRUE(driver->process({R"({"a":1})"}).empty());
  EXPECT_TRUE(driver->process({R"({"a":2,"b":"x"})", "\"bare\""}).empty());
  EXPECT_EQ(output(), "a\n-\n1\na  b\n-  -\n2  x\na  b  value\n-  -  -----\n      bare\n");
}

TEST_F(StdoutTest, KeepsDataFromSteeringTheTerminal) {
  start({.table = true});
  EXPECT_TRUE(driver->process({R"({"a":"\u001b[2Jx\ny\u009b","b":"é§"})"}).empty());
  const std::string text = output();
  EXPECT_NE(text.find("\\u001b[2Jx\\ny\\u009b"), std::string::npos) << text;
  EXPECT_NE(text.find("é§"), std::string::npos) << text;
}

TEST_F(StdoutTest, CutsFieldsThatAreTooWide) {
  start({.table = true});
  EXPECT_TRUE(driver->process({"{\"a\":\"" + std::string(100, 'x') + "\"}"}).empty());
  EXPECT_NE(output().find("\n" + std::string(Table::widest - 1, 'x') + "…\n"), std::string::npos);
}

TEST_F(StdoutTest, ReportsAPipeThatItsReaderClosedAndLives) {
  start({});
  reading.close();
  const auto failures = driver->process({"1", "2"});
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[0].error.code(), "EPIPE");
  EXPECT_EQ(failures[0].error.kind(), sdk::ErrorKind::io);
  EXPECT_FALSE(failures[0].error.retryable());
}

TEST_F(StdoutTest, WaitsForASlowReaderAndLosesNothing) {
  start({});
  const std::string line = '"' + std::string(100'000, 'x') + '"';
  auto sent = driver->send({line, line, line});
  std::string text;
  std::array<char, 4096> block{};
  while (text.size() < 3 * (line.size() + 1)) {
    const ssize_t count = ::read(reading.get(), block.data(), block.size());
    ASSERT_GT(count, 0);
    text.append(block.data(), static_cast<std::size_t>(count));
  }
  EXPECT_TRUE(sent.get().empty());
  EXPECT_EQ(text, line + "\n" + line + "\n" + line + "\n");
}

TEST_F(StdoutTest, CanBeDestroyedWhileNobodyReads) {
  start({});
  auto sent = driver->send({'"' + std::string(1'000'000, 'x') + '"'});
  driver.reset();
  ASSERT_EQ(sent.get().size(), 1U);
}

}  // namespace
}  // namespace millrace::stdio
