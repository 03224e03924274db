// Any bytes as replies of a Redis server: never a crash, what is read does not depend on the pieces
// in which it came, and no more is kept than the limit allows.
#include "connectors/redis/message.hpp"
#include "connectors/redis/resp.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using millrace::redis::Payload;
using millrace::redis::Reply;
using millrace::redis::ReplyReader;

constexpr std::size_t limit = 100'000;

void require(bool condition) {
  if (!condition)
    std::abort();
}

std::string shown(const Reply& reply) {
  auto text = std::to_string(static_cast<int>(reply.kind)) + ":" + std::to_string(reply.integer)
              + reply.text + "(";
  for (const auto& item : reply.items)
    text += shown(item);
  return text + ")";
}

std::vector<std::string> read(std::string_view bytes, std::size_t piece) {
  ReplyReader reader{limit};
  std::vector<std::string> all;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    Reply reply;
    auto step = reader.next(reply);
    for (; step == ReplyReader::Step::reply; step = reader.next(reply)) {
      all.push_back(shown(reply));
      for (const auto payload : {Payload::json, Payload::text, Payload::bytes})
        static_cast<void>(millrace::redis::to_value(payload, reply));
      reply = {};
    }
    if (step != ReplyReader::Step::need_more) {
      all.emplace_back("ended");
      return all;
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  require(read(bytes, bytes.size() + 1) == read(bytes, 1U + data[0] % 16U));
  return 0;
}
