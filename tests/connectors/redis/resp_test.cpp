#include "connectors/redis/resp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace millrace::redis {
namespace {

using Kind = Reply::Kind;
using Step = ReplyReader::Step;
using testing::ElementsAre;

std::string shown(const Reply& reply) {
  std::string text{"0sei#bt[{>"[static_cast<std::size_t>(reply.kind)]};
  if (reply.is(Kind::integer) || reply.is(Kind::boolean))
    return text + std::to_string(reply.integer);
  text += reply.text;
  for (const auto& item : reply.items)
    text += " " + shown(item);
  return reply.items.empty() ? text : text + "]";
}

// All replies in `bytes`, fed in pieces; at its end what ended it.
std::vector<std::string> read(std::string_view bytes, std::size_t piece = 1,
                              std::size_t limit = 1'000'000) {
  ReplyReader reader{limit};
  std::vector<std::string> all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    for (bool more = true; more;) {
      Reply reply;
      switch (reader.next(reply)) {
      case Step::reply:
        all.push_back(shown(reply));
        break;
      case Step::need_more:
        more = false;
        break;
      case Step::too_large:
        all.emplace_back("too large");
        return all;
      case Step::broken:
        all.emplace_back("broken");
        return all;
      }
    }
  }
  return all;
}

TEST(RespTest, ReadsEveryKindOfReplyInWhateverPiecesItComes) {
  const std::string bytes = "+OK\r\n-ERR no\r\n:-7\r\n$-1\r\n*-1\r\n_\r\n$0\r\n\r\n$4\r\na\r\nb\r\n"
                            "#t\r\n,3.5\r\n(12345678901234567890123\r\n=7\r\ntxt:abc\r\n!5\r\nERR x"
                            "\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n%1\r\n+k\r\n*0\r\n~1\r\n:2\r\n"
                            ">2\r\n+message\r\n$1\r\ny\r\n|1\r\n+ttl\r\n:9\r\n:5\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_THAT(read(bytes, piece),
                ElementsAre("sOK", "eERR no", "i-7", "0", "0", "0", "t", "ta\r\nb", "b1", "#3.5",
                            "#12345678901234567890123", "tabc", "eERR x", "[ i1 [ tx]]", "{ sk []",
                            "[ i2]", "> smessage ty]", "i5"))
      << piece;
}

TEST(RespTest, RefusesWhatIsNoReply) {
  for (const auto* bytes : {"OK\r\n", ":x\r\n", "$x\r\n", "$-2\r\n", "*-2\r\n", "#x\r\n", "_x\r\n",
                            "$2\r\nabc\r\n", "\r\n", "=2\r\nab\r\n", "%x\r\n", ",\r\n", "$?\r\n"})
    EXPECT_THAT(read(bytes), ElementsAre("broken")) << bytes;
}

TEST(RespTest, GivesUpALineThatNeverEnds) {
  EXPECT_THAT(read("+" + std::string(200'000, 'x'), 1000), ElementsAre("broken"));
}

TEST(RespTest, HoldsTheLimitBeforeTheBytesCome) {
  EXPECT_THAT(read("$2000000\r\n", 1), ElementsAre("too large"));
  EXPECT_THAT(read("*100000000000\r\n", 1), ElementsAre("too large"));
  EXPECT_THAT(read("%1000000000\r\n", 1), ElementsAre("too large"));
  std::string many = "*20000\r\n";
  for (int i = 0; i < 20'000; ++i)
    many += ":1\r\n";
  EXPECT_THAT(read(many, 4096), ElementsAre("too large"));
}

TEST(RespTest, StartsCountingAnewWithEachReply) {
  std::string bytes;
  for (int i = 0; i < 10; ++i)
    bytes += "$600000\r\n" + std::string(600'000, 'x') + "\r\n";
  EXPECT_EQ(read(bytes, 70'000).size(), 10U);
}

TEST(RespTest, RefusesNestingWithoutAnEnd) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i)
    bytes += "*1\r\n";
  EXPECT_THAT(read(bytes), ElementsAre("broken"));
}

TEST(RespTest, SurvivesGarbage) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random{seed};
  const std::string_view alphabet = "+-:$*_#,(!=%~>|0123456789\r\n\r\n\r\nabc";
  for (int run = 0; run < 2000; ++run) {
    std::string bytes;
    for (int i = 0; i < 60; ++i)
      bytes += alphabet[random() % alphabet.size()];
    const auto whole = read(bytes, bytes.size(), 5000);
    EXPECT_EQ(read(bytes, 1 + random() % 7, 5000), whole);
  }
}

TEST(RespTest, WritesCommandsOfAnyBytes) {
  std::string out;
  append_command(out, {"SET", "k", std::string_view{"a\r\n\0b", 5}});
  EXPECT_EQ(out, std::string("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\na\r\n\0b\r\n", 31));
}

}  // namespace
}  // namespace millrace::redis
