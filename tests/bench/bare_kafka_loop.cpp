// What librdkafka does without the engine: the yardstick of `scripts/bench kafka`.
//
//   bare_kafka_loop fill BROKERS TOPIC COUNT     200-byte JSON into partitions 0 and 1
//   bare_kafka_loop copy BROKERS IN OUT COUNT    partitions 0 and 1 of IN into OUT; prints
//   messages/s
#include "connectors/kafka/handles.hpp"
#include "tests/bench/bare_loop.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using millrace::kafka::make_list;
using millrace::kafka::QueuePtr;
using Clock = std::chrono::steady_clock;
using Client = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;
using Properties = std::vector<std::pair<const char*, std::string>>;

constexpr int partitions = 2;

Client make_client(rd_kafka_type_t type, const Properties& properties) {
  std::array<char, 512> reason{};
  auto* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), reason.data(), reason.size())
        != RD_KAFKA_CONF_OK)
      std::fprintf(stderr, "%s\n", reason.data());
  }
  return {rd_kafka_new(type, conf, reason.data(), reason.size()), &rd_kafka_destroy};
}

Client make_producer(const std::string& brokers) {
  return make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                         {"enable.idempotence", "true"},
                                         {"linger.ms", "5"},
                                         {"queue.buffering.max.messages", "1000000"}});
}

void send(rd_kafka_t* client, rd_kafka_topic_t* topic, int partition, const void* bytes,
          std::size_t size) {
  while (rd_kafka_produce(topic, partition, RD_KAFKA_MSG_F_COPY, const_cast<void*>(bytes), size,
                          nullptr, 0, nullptr)
         != 0)
    rd_kafka_poll(client, 10);
  rd_kafka_poll(client, 0);
}

int fill(const std::string& brokers, const char* name, std::uint64_t count) {
  const auto client = make_producer(brokers);
  auto* topic = rd_kafka_topic_new(client.get(), name, nullptr);
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto line = millrace::bench::line_of(n);
    send(client.get(), topic, static_cast<int>(n % partitions), line.data(), line.size() - 1);
  }
  const auto failure = rd_kafka_flush(client.get(), 60'000);
  rd_kafka_topic_destroy(topic);
  return failure == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 1;
}

int copy(const std::string& brokers, const char* from, const char* to, std::uint64_t count) {
  const auto producer = make_producer(brokers);
  const auto consumer = make_client(
    RD_KAFKA_CONSUMER,
    {{"bootstrap.servers", brokers}, {"group.id", "bare"}, {"enable.auto.commit", "false"}});
  auto* topic = rd_kafka_topic_new(producer.get(), to, nullptr);
  const auto list = make_list();
  for (int i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(list.get(), from, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  const auto began = Clock::now();
  rd_kafka_assign(consumer.get(), list.get());
  const QueuePtr queue{rd_kafka_queue_get_consumer(consumer.get())};
  std::array<rd_kafka_message_t*, 512> messages{};
  for (std::uint64_t done = 0; done < count;) {
    const auto got = rd_kafka_consume_batch_queue(queue.get(), 1000, messages.data(),
                                                  messages.size());
    for (ssize_t i = 0; i < got; ++i) {
      auto* message = messages.at(static_cast<std::size_t>(i));
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        send(producer.get(), topic, message->partition, message->payload, message->len);
        ++done;
      }
      rd_kafka_message_destroy(message);
    }
  }
  const auto failure = rd_kafka_flush(producer.get(), 60'000);
  const std::chrono::duration<double> took = Clock::now() - began;
  std::printf("%.0f\n", static_cast<double>(count) / took.count());
  rd_kafka_topic_destroy(topic);
  rd_kafka_consumer_close(consumer.get());
  return failure == RD_KAFKA_RESP_ERR_NO_ERROR ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  const std::string_view verb = count > 1 ? words[1] : "";
  if (verb == "fill" && count == 5)
    return fill(words[2], words[3], std::strtoull(words[4], nullptr, 10));
  if (verb == "copy" && count == 6)
    return copy(words[2], words[3], words[4], std::strtoull(words[5], nullptr, 10));
  std::fprintf(stderr,
               "usage: bare_kafka_loop fill BROKERS TOPIC COUNT | copy BROKERS IN OUT COUNT\n");
  return 64;
}
