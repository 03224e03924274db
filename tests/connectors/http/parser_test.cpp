// Requests out of bytes: the same ones in whatever pieces they come.
#include "connectors/http/request_parser.hpp"
#include "connectors/http/routes.hpp"
#include "connectors/http/target.hpp"
#include "connectors/sdk/json.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::http {
namespace {

// "METHOD target body" of each request, then the status of a refusal.
std::vector<std::string> framed(std::string_view bytes, const std::vector<std::size_t>& pieces) {
  RequestParser parser{1024};
  std::vector<std::string> all;
  std::size_t at = 0;
  for (std::size_t i = 0; at < bytes.size(); ++i) {
    const auto size = i < pieces.size() ? pieces[i] : bytes.size();
    parser.feed(bytes.substr(at, size));
    at += std::min(size, bytes.size() - at);
    for (auto step = parser.step(); step != RequestParser::Step::need_more; step = parser.step()) {
      if (step == RequestParser::Step::head) {
        parser.limit_body(1000);
      } else if (step == RequestParser::Step::complete) {
        all.push_back(parser.head().method + " " + parser.head().target + " " + parser.take_body());
        parser.next();
      } else {
        all.push_back(std::to_string(parser.status()));
        return all;
      }
    }
  }
  return all;
}

const std::string several =
  "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
  "\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
  "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
  "2\r\nde\r\n00a;n=\"v\"\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"
  "PATCH /e HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
  "DELETE /d HTTP/1.0\r\nContent-Length: 0\r\n\r\n";

TEST(RequestParserTest, FramesTheSameRequestsInWhateverPiecesTheyCome) {
  const std::vector<std::string> wanted{"POST /a abc", "GET /b ", "PUT /c de0123456789",
                                        "PATCH /e ", "DELETE /d "};
  EXPECT_EQ(framed(several, {}), wanted);
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::size_t> pieces;
    for (std::size_t sum = 0; sum < several.size(); sum += pieces.back())
      pieces.push_back(1 + random() % (round % 2 == 0 ? 4U : 60U));
    ASSERT_EQ(framed(several, pieces), wanted);
  }
}

TEST(RequestParserTest, TakesNothingOtherThanTheWholeWouldBeFromBrokenBytes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random{seed};
  for (int round = 0; round < 5'000; ++round) {
    auto bytes = several;
    for (int i = 0; i < 3; ++i) {
      const auto at = random() % bytes.size();
      switch (random() % 3) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes.erase(at, 1 + random() % 4);
        break;
      default:
        bytes.insert(at, 1, "\r\n :,0"[random() % 6]);
      }
    }
    const auto whole = framed(bytes, {});
    const auto pieces = framed(bytes, std::vector<std::size_t>(bytes.size(), 1));
    for (std::size_t i = 0; i < std::min(whole.size(), pieces.size()); ++i)
      ASSERT_EQ(whole[i], pieces[i]) << bytes;
  }
}

TEST(TargetTest, DecodesSegmentsAfterTheyWereSplit) {
  const auto target = parse_target("/a%2Fb//c%20d/?q=%2F+x&e=&n");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"a/b", "", "c d", ""}));
  EXPECT_EQ(sdk::to_json(*parse_form(target->query, 10)), R"({"q":"/ x","e":"","n":""})");
  for (const char* bad : {"", "a", "/%", "/%4", "/%zz", "/%00", "/%ff", "/a#b", "*"})
    EXPECT_FALSE(parse_target(bad)) << bad;
  EXPECT_FALSE(parse_form("a=%ff", 10));
  EXPECT_FALSE(parse_form("a&b&c", 2));
}

TEST(RouteTableTest, ALiteralWinsOverAParameterAndAParameterIsNeverEmpty) {
  RouteTable table;
  const auto params = [&](const std::vector<std::string>& segments) {
    return sdk::to_json(table.find(segments, "GET").params);
  };
  table.add(*parse_path("/{a}/y"), "GET", nullptr);
  table.add(*parse_path("/x/{b}"), "GET", nullptr);
  table.add(*parse_path("/x/{b}/z"), "GET", nullptr);
  EXPECT_EQ(params({"x", "y"}), R"({"b":"y"})");
  EXPECT_EQ(params({"w", "y"}), R"({"a":"w"})");
  EXPECT_EQ(params({"x", "y", "z"}), R"({"b":"y"})");
  EXPECT_EQ(params({"x", ""}), "null");
  EXPECT_EQ(params({}), "null");
}

}  // namespace
}  // namespace millrace::http
