#include "connectors/kafka/config.hpp"

#include <array>
#include <charconv>
#include <date/date.h>
#include <sstream>

namespace millrace::kafka {
namespace {

using namespace std::chrono_literals;

void read_payload(sdk::ConfigReader& in, Payload& out) {
  in.choice<Payload>(
    "format", out, {{"json", Payload::json}, {"text", Payload::text}, {"bytes", Payload::bytes}},
    "What a message holds: JSON, UTF-8 text, or any bytes, for which base64 text stands");
}

// "2026-11-21T10:00:00Z" or "2026-11-21"
std::optional<std::int64_t> parse_time(const std::string& text) {
  for (const char* pattern : {"%FT%TZ", "%FT%T%Ez", "%F"}) {
    std::istringstream in{text};
    date::sys_time<std::chrono::milliseconds> time;
    in >> date::parse(pattern, time);
    if (!in.fail() && in.peek() == std::istringstream::traits_type::eof())
      return time.time_since_epoch().count();
  }
  return std::nullopt;
}

void read_start(sdk::ConfigReader& in, Start& out) {
  std::string text = "earliest";
  in.optional("start", text,
              "Where to begin where the group has committed nothing: earliest, latest, an offset, "
              "or a time such as 2026-11-21T10:00:00Z");
  if (in.is_describing() || text == "earliest")
    return;
  if (text == "latest") {
    out.where = Start::Where::latest;
    return;
  }
  const char* end = text.data() + text.size();
  if (const auto [stop, failure] = std::from_chars(text.data(), end, out.offset);
      failure == std::errc{} && stop == end && out.offset >= 0) {
    out.where = Start::Where::offset;
  } else if (const auto time = parse_time(text)) {
    out = {Start::Where::time, *time};
  } else {
    in.check(false, "start", "earliest, latest, an offset, or a time such as 2026-11-21T10:00:00Z");
  }
}

// A pattern that librdkafka could not compile would never match anything.
void check_topics(sdk::ConfigReader& in, const std::vector<std::string>& topics) {
  const char* given = in.has("topics") ? "topics" : "topic";
  if (topics.empty())
    in.error(given, in.owner() + " needs a 'topic'", "for example topic: orders");
  for (const auto& topic : topics) {
    if (topic.empty() || topic.find('\0') != std::string::npos)
      in.check(false, given, "names of topics, or patterns that begin with ^");
  }
}

}  // namespace

void read_config(sdk::ConfigReader& in, ReceiveConfig& out) {
  out.brokers = in.server<Brokers>("kafka", "A server of protocol kafka; default: the only one");
  in.optional("topic|topics", out.topics,
              "Topics to read; one that begins with ^ is a pattern: [orders, \"^audit-.*\"]");
  if (!in.is_describing())
    check_topics(in, out.topics);
  in.optional("group|groupId|group_id", out.group, "Consumer group; default: the pipeline's name");
  in.optional("instanceId|instance_id", out.instance_id,
              "Name of this member of the group: where it comes back within the session timeout it "
              "keeps its partitions");
  read_payload(in, out.payload);
  read_start(in, out.start);
  in.optional("window", out.window,
              "Most records of one partition under way; default: its share of 4096");
  in.optional("sessionTimeout|session_timeout", out.session_timeout,
              "How long the group waits for a member that is silent");
  in.check(out.session_timeout >= 1s, "sessionTimeout", "1s or more");
  in.optional("revokeWait|revoke_wait", out.revoke_wait,
              "How long a partition that goes to another member waits for its open records");
  in.check(out.revoke_wait >= 0ms && out.revoke_wait <= 60s, "revokeWait", "60s or less");
  in.choice<bool>(
    "delivery", out.exactly_once, {{"at-least-once", false}, {"exactly-once", true}},
    "With exactly-once what a message did, in one database or by the `send` at the end, "
    "and the offset behind it are committed together");
  std::string table = "millrace_offsets";  // the compiler quotes it
  in.optional("offsetTable|offset_table", table,
              "Where delivery: exactly-once keeps the offsets; it is made where it is not there");
  in.check(out.exactly_once || !in.has("offsetTable"), "offsetTable",
           "left out without delivery: exactly-once");
  read_properties(in, out.properties);
}

void read_config(sdk::ConfigReader& in, SendConfig& out) {
  out.brokers = in.server<Brokers>("kafka", "A server of protocol kafka; default: the only one");
  in.text_template("topic", out.topic, "Topic to send to; ${$.…} in it chooses one per record",
                   true);
  in.optional("key", out.key, "Key of the message: text, or JSON of anything else; default: none");
  in.optional("value", out.value,
              "What to send; null deletes the key (a tombstone); default: the last output");
  in.expressions("headers", out.headers, "Headers of the message, by name");
  in.optional("partition", out.partition, "Number of the partition; default: by the partitioner");
  read_payload(in, out.payload);
  const auto set = [&](const char* name, std::string value) {
    out.properties.emplace_back(name, std::move(value));
  };
  std::string partitioner = "murmur2_random";
  in.choice<std::string>("partitioner", partitioner,
                         {{"murmur2", "murmur2_random"},
                          {"consistent", "consistent_random"},
                          {"fnv1a", "fnv1a_random"},
                          {"random", "random"}},
                         "How a key chooses the partition: as Java's clients do (murmur2), as "
                         "librdkafka's (consistent) or as Sarama's (fnv1a)");
  set("partitioner", partitioner);
  std::string compression = "none";
  in.choice<std::string>(
    "compression", compression,
    {{"none", "none"}, {"gzip", "gzip"}, {"snappy", "snappy"}, {"lz4", "lz4"}, {"zstd", "zstd"}},
    "How batches of messages are compressed");
  set("compression.type", compression);
  std::string acks = "all";
  in.choice<std::string>("acks", acks, {{"all", "all"}, {"1", "1"}, {"0", "0"}},
                         "Whose word counts: all replicas in sync, the leader, or nobody's");
  set("acks", acks);
  bool idempotent = acks == "all";
  in.optional("idempotent", idempotent,
              "The broker drops what a retry sends twice, and keeps the order");
  if (idempotent && acks != "all")
    in.error("idempotent", "an idempotent producer needs 'acks: all'", "remove one of them");
  set("enable.idempotence", idempotent ? "true" : "false");
  std::chrono::milliseconds linger{5};
  in.optional("linger", linger, "How long a message may wait for others to travel with it");
  in.check(linger >= 0ms && linger <= 15min, "linger", "15m or less");
  set("linger.ms", std::to_string(linger.count()));
  std::chrono::milliseconds timeout{30'000};
  in.optional("deliveryTimeout|delivery_timeout", timeout,
              "How long a message may take until the brokers have it, retries included");
  in.check(timeout >= 1s && timeout <= 24h, "deliveryTimeout", "1s to 24h");
  set("message.timeout.ms", std::to_string(timeout.count()));
  read_properties(in, out.properties);
}

}  // namespace millrace::kafka
