#include "runtime/log_repeats.hpp"
#include "runtime/logging.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace millrace::runtime {
namespace {

using sdk::LogField;
using sdk::Value;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using namespace std::chrono_literals;

/// A pipe that a log writes into.
class LogTest : public testing::Test {
protected:
  LogTest() {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
  }

  ~LogTest() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  int writer() const { return ends_[1]; }

  std::string written() {
    std::string text(65536, '\0');
    const auto got = ::read(ends_[0], text.data(), text.size());
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return text;
  }

private:
  std::array<int, 2> ends_{};
};

TEST_F(LogTest, WritesOneReadableLineAnEvent) {
  StatusLine lines{writer()};
  make_log({}, lines)->info("pipeline started",
                            {{"pipeline", "loyalty"}, {"steps", 4}, {"note", "a b"}});
  EXPECT_THAT(written(),
              MatchesRegex("20..-..-..T..:..:..\\....Z info  pipeline started pipeline=loyalty "
                           "steps=4 note=\"a b\"\n"));
}

TEST_F(LogTest, WritesJsonThatOthersCanRead) {
  StatusLine lines{writer()};
  make_log({.format = LogFormat::json}, lines)
    ->warn("session \"lost\"\n", {{"db", "main"}, {"tries", 3}, {"list", Value::array({1, "x"})}});
  const auto line = nlohmann::json::parse(written());
  EXPECT_EQ(line.at("level"), "warn");
  EXPECT_EQ(line.at("event"), "session \"lost\"\n");
  EXPECT_EQ(line.at("db"), "main");
  EXPECT_EQ(line.at("tries"), 3);
  EXPECT_EQ(line.at("list"), nlohmann::json::parse(R"([1,"x"])"));
  EXPECT_THAT(line.at("time").get<std::string>(), HasSubstr("T"));
}

TEST_F(LogTest, SaysNothingBelowItsLevel) {
  StatusLine lines{writer()};
  const auto log = make_log({.level = sdk::LogLevel::warn}, lines);
  log->info("quiet");
  EXPECT_FALSE(log->enabled(sdk::LogLevel::info));
  EXPECT_TRUE(log->enabled(sdk::LogLevel::error));
  EXPECT_THAT(written(), IsEmpty());
}

TEST_F(LogTest, NothingInAValueBreaksTheLine) {
  const std::array fields{LogField{"who", "x\n2026 error forged"}, LogField{"esc", "\x1b[31m"}};
  const auto line = format_text("event", fields);
  EXPECT_EQ(line, "event who=\"x\\n2026 error forged\" esc=\"\\u001b[31m\"");
}

TEST_F(LogTest, HoldsBackAWarningThatRepeatsAndCountsIt) {
  StatusLine lines{writer()};
  auto log = make_log({}, lines);
  for (int i = 0; i < 1000; ++i)
    log->warn("server down", {{"try", i}});
  log.reset();
  const auto text = written();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 11);
  EXPECT_THAT(text, HasSubstr("repeats held back of=\"server down\" count=990"));
}

TEST_F(LogTest, WritesAboveTheStatusLine) {
  StatusLine lines{writer()};
  lines.show("10 records");
  lines.write("an event\n");
  lines.show("");
  EXPECT_EQ(written(), "\r\x1b[K10 records\r\x1b[Kan event\n10 records\r\x1b[K");
}

TEST_F(LogTest, DropsLinesWhereNobodyReadsRatherThanWaiting) {
  StatusLine lines{writer()};
  const std::string line(4000, 'x');
  for (int i = 0; i < 100; ++i)
    lines.write(line);
  EXPECT_GT(lines.dropped(), 0u);
}

TEST(LogRepeatsTest, LetsABurstThroughAndThenOnePerWindow) {
  LogRepeats repeats{{.burst = 2, .window = 10s}};
  const sdk::Instant start{};
  EXPECT_EQ(repeats.admit("down", start), 0u);
  EXPECT_EQ(repeats.admit("down", start), 0u);
  EXPECT_EQ(repeats.admit("down", start + 1s), std::nullopt);
  EXPECT_EQ(repeats.admit("down", start + 2s), std::nullopt);
  EXPECT_EQ(repeats.admit("other", start + 2s), 0u);
  EXPECT_EQ(repeats.admit("down", start + 10s), 2u);
  EXPECT_THAT(repeats.take_held_back(), IsEmpty());
}

TEST(LogRepeatsTest, RemembersABoundedNumberOfEvents) {
  LogRepeats repeats{{.burst = 1, .window = 10s, .events = 3}};
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(repeats.admit("event " + std::to_string(i), {}));
}

}  // namespace
}  // namespace millrace::runtime
