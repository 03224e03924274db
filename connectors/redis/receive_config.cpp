#include "connectors/redis/receive_config.hpp"

#include <algorithm>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

// "0", "$", "1526985054069-0"
bool is_start(std::string_view text) {
  return text == "$"
         || (!text.empty() && text.find_first_not_of("0123456789-") == std::string_view::npos);
}

}  // namespace

void read_config(sdk::ConfigReader& in, ReceiveConfig& out) {
  out.server = in.server<RedisServer>("redis", "A server of protocol redis; default: the only one");
  in.optional("stream", out.stream, "Stream to read as a consumer of a group");
  in.optional("list", out.list, "List to take from, its head first");
  const bool is_stream = in.has("stream");
  if (!in.is_describing() && is_stream == in.has("list"))
    in.error(is_stream ? "list" : "stream", in.owner() + " needs either 'stream' or 'list'",
             "channels are read by operation: subscribe");
  in.check(in.is_describing() || !is_stream || !out.stream.empty(), "stream", "a key");
  in.check(in.is_describing() || is_stream || !in.has("list") || !out.list.empty(), "list",
           "a key");
  const auto of_stream = [&](const char* option) {
    if (!in.is_describing() && !is_stream && in.has(option))
      in.error(option, "'" + std::string{option} + "' is of streams, and this is a list");
  };
  in.optional("group", out.group, "Of a stream: the consumer group; default: the pipeline's name");
  of_stream("group");
  in.optional("consumer", out.consumer,
              "Who we are among those who read: each process has a name of its own, and comes back "
              "with it; default: the machine's name");
  in.optional("start", out.start,
              "Of a stream: where a group that is new begins: 0 (all that is there), $ (what comes "
              "from now on), or an id");
  of_stream("start");
  in.check(is_start(out.start), "start", "0, $, or an id such as 1526985054069-0");
  in.optional("field", out.field,
              "Of a stream: the field that is the record; default: an object of all of them");
  of_stream("field");
  in.optional("claimAfter|claim_after", out.claim_after,
              "Of a stream: entries that another consumer has held for so long are taken over; "
              "0ms: never");
  of_stream("claimAfter");
  in.check(out.claim_after == 0ms || out.claim_after >= 100ms, "claimAfter",
           "0ms, or 100ms and longer");
  in.optional("processing", out.processing,
              "Of a list: key of the list that holds what is under way; default: "
              "<list>:processing:<consumer>");
  if (!in.is_describing() && is_stream && in.has("processing"))
    in.error("processing", "'processing' is of lists, and this is a stream");
  in.optional("count", out.count, "Most that are asked for at once");
  in.check(out.count >= 1 && out.count <= 10'000, "count", "1 to 10000");
  if (is_stream && out.field.empty())
    out.payload = Payload::text;
  read_payload(in, out.payload,
               "What the bytes are: JSON, UTF-8 text, or any, for which base64 text stands; of "
               "the fields of a stream's entry text is the default");
}

void read_config(sdk::ConfigReader& in, SubscribeConfig& out) {
  out.server = in.server<RedisServer>("redis", "A server of protocol redis; default: the only one");
  in.optional("channel|channels", out.channels, "Channels to hear");
  in.optional("pattern|patterns", out.patterns, "Patterns of channels: news.*");
  if (!in.is_describing() && out.channels.empty() && out.patterns.empty())
    in.error("channel", in.owner() + " needs 'channel' or 'pattern'", "for example channel: news");
  for (const auto* all : {&out.channels, &out.patterns})
    in.check(std::ranges::none_of(*all, [](const auto& one) { return one.empty(); }),
             all == &out.channels ? "channel" : "pattern", "a name");
  read_payload(in, out.payload,
               "What the bytes are: JSON, UTF-8 text, or any, for which base64 text stands");
}

}  // namespace millrace::redis
