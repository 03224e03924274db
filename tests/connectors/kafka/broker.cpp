#include "tests/connectors/kafka/broker.hpp"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace millrace::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int timeout_ms = 30'000;
constexpr int mock_brokers = 1;

const char* real_url() {
  return std::getenv("MILLRACE_TEST_KAFKA");  // NOLINT(concurrency-mt-unsafe): nobody sets it
}

void check(rd_kafka_resp_err_t failure, const std::string& what) {
  if (failure != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error{what + ": " + rd_kafka_err2str(failure)};
}

std::optional<std::string> text_of(const void* bytes, std::size_t size) {
  if (!bytes)
    return std::nullopt;
  return std::string{static_cast<const char*>(bytes), size};
}

Message to_message(const rd_kafka_message_t& raw) {
  Message message{text_of(raw.key, raw.key_len), text_of(raw.payload, raw.len)};
  message.partition = raw.partition;
  message.offset = raw.offset;
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&raw, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return message;
  const char* name = nullptr;
  const void* bytes = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    message.headers[name] = text_of(bytes, size).value_or("(null)");
  return message;
}

}  // namespace

std::string Broker::why_not(const std::string& kind) {
  return kind == "mock" || real_url() ? std::string{}
                                      : "there is no real Kafka broker: set MILLRACE_TEST_KAFKA";
}

Broker::Broker(const std::string& kind) {
  if (kind == "real") {
    url_ = real_url();
    return;
  }
  owner_ = make_client(RD_KAFKA_PRODUCER, {});
  mock_ = rd_kafka_mock_cluster_new(owner_.get(), mock_brokers);
  if (!mock_)
    throw std::runtime_error{"no mock cluster"};
  url_ = rd_kafka_mock_cluster_bootstraps(mock_);
}

Broker::~Broker() {
  if (mock_)
    rd_kafka_mock_cluster_destroy(mock_);
}

Broker::ClientPtr
Broker::make_client(rd_kafka_type_t type,
                    const std::vector<std::pair<std::string, std::string>>& properties) const {
  std::array<char, 512> reason{};
  auto* conf = rd_kafka_conf_new();
  if (!url_.empty())
    rd_kafka_conf_set(conf, "bootstrap.servers", url_.c_str(), reason.data(), reason.size());
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason.data(), reason.size())
        != RD_KAFKA_CONF_OK)
      throw std::runtime_error{reason.data()};
  }
  ClientPtr client{rd_kafka_new(type, conf, reason.data(), reason.size()), &rd_kafka_destroy};
  if (!client)
    throw std::runtime_error{reason.data()};
  return client;
}

void Broker::make_topic(const std::string& topic, int partitions) {
  partitions_[topic] = partitions;
  if (mock_) {
    check(rd_kafka_mock_topic_create(mock_, topic.c_str(), partitions, 1), "create " + topic);
    return;
  }
  const auto client = make_client(RD_KAFKA_PRODUCER, {});
  std::array<char, 512> reason{};
  auto* fresh = rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, reason.data(), reason.size());
  const kafka::QueuePtr queue{rd_kafka_queue_new(client.get())};
  rd_kafka_CreateTopics(client.get(), &fresh, 1, nullptr, queue.get());
  const kafka::EventPtr done{rd_kafka_queue_poll(queue.get(), timeout_ms)};
  rd_kafka_NewTopic_destroy(fresh);
  if (!done)
    throw std::runtime_error{"create " + topic + ": no answer"};
  check(rd_kafka_event_error(done.get()), "create " + topic);
  // Its leaders are chosen a moment later.
  const auto deadline = Clock::now() + 30s;
  while (partitions_of(topic) != partitions && Clock::now() < deadline) {
  }
}

int Broker::partitions_of(const std::string& topic) {
  const auto client = make_client(RD_KAFKA_PRODUCER, {});
  auto* handle = rd_kafka_topic_new(client.get(), topic.c_str(), nullptr);
  const rd_kafka_metadata_t* found = nullptr;
  int count = 0;
  if (rd_kafka_metadata(client.get(), 0, handle, &found, timeout_ms)
      == RD_KAFKA_RESP_ERR_NO_ERROR) {
    for (int i = 0; i < found->topics[0].partition_cnt; ++i)
      count += found->topics[0].partitions[i].leader >= 0 ? 1 : 0;
    rd_kafka_metadata_destroy(found);
  }
  rd_kafka_topic_destroy(handle);
  return count;
}

void Broker::produce(const std::string& topic, std::int32_t partition,
                     const std::vector<Message>& all) {
  const auto client = make_client(RD_KAFKA_PRODUCER, {{"enable.idempotence", "true"}});
  for (const auto& message : all) {
    auto* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& [name, value] : message.headers)
      rd_kafka_header_add(headers, name.c_str(), -1, value.data(),
                          static_cast<ssize_t>(value.size()));
    const auto bytes = [](const std::optional<std::string>& text) -> void* {
      return text ? const_cast<char*>(text->data()) : nullptr;
    };
    const auto size = [](const std::optional<std::string>& text) {
      return text ? text->size() : 0;
    };
    std::array<rd_kafka_vu_t, 6> fields{};
    fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    fields[0].u.cstr = topic.c_str();
    fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[1].u.i32 = partition;
    fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[2].u.i = RD_KAFKA_MSG_F_COPY;
    fields[3].vtype = RD_KAFKA_VTYPE_KEY;
    fields[3].u.mem = {bytes(message.key), size(message.key)};
    fields[4].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[4].u.mem = {bytes(message.value), size(message.value)};
    fields[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    fields[5].u.headers = headers;
    const kafka::ErrorPtr refused{rd_kafka_produceva(client.get(), fields.data(), fields.size())};
    check(refused ? rd_kafka_error_code(refused.get()) : RD_KAFKA_RESP_ERR_NO_ERROR, "produce");
  }
  check(rd_kafka_flush(client.get(), timeout_ms), "flush");
}

std::vector<Message> Broker::read(const std::string& topic, std::size_t count) {
  const auto client = make_client(RD_KAFKA_CONSUMER,
                                  {{"group.id", "reader"}, {"enable.auto.commit", "false"}});
  const auto list = kafka::make_list();
  for (int i = 0; i < partitions_.at(topic); ++i)
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset =
      RD_KAFKA_OFFSET_BEGINNING;
  check(rd_kafka_assign(client.get(), list.get()), "assign");
  std::vector<Message> messages;
  const auto deadline = Clock::now() + 30s;
  while (messages.size() < count && Clock::now() < deadline) {
    auto* raw = rd_kafka_consumer_poll(client.get(), 200);
    if (!raw)
      continue;
    if (raw->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      messages.push_back(to_message(*raw));
    rd_kafka_message_destroy(raw);
  }
  rd_kafka_consumer_close(client.get());
  return messages;
}

std::vector<Message> Broker::read_all(const std::string& topic) {
  const auto client = make_client(
    RD_KAFKA_CONSUMER,
    {{"group.id", "reader"}, {"enable.auto.commit", "false"}, {"enable.partition.eof", "true"}});
  // One that reads what is committed is told of the first open transaction instead of the end.
  const auto observer = make_client(
    RD_KAFKA_CONSUMER, {{"group.id", "observer"}, {"isolation.level", "read_uncommitted"}});
  std::vector<Message> messages;
  for (int i = 0; i < partitions_.at(topic); ++i) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    check(
      rd_kafka_query_watermark_offsets(observer.get(), topic.c_str(), i, &low, &high, timeout_ms),
      "watermarks");
    const auto list = kafka::make_list();
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), i)->offset =
      RD_KAFKA_OFFSET_BEGINNING;
    check(rd_kafka_assign(client.get(), list.get()), "assign");
    // An open transaction hides what is behind it: the end comes when that has ended.
    const auto deadline = Clock::now() + 60s;
    for (std::int64_t at = low; at < high && Clock::now() < deadline;) {
      auto* raw = rd_kafka_consumer_poll(client.get(), 200);
      if (!raw)
        continue;
      if (raw->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        messages.push_back(to_message(*raw));
      if (raw->err == RD_KAFKA_RESP_ERR_NO_ERROR || raw->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        at = raw->offset + (raw->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : 0);
      rd_kafka_message_destroy(raw);
    }
  }
  rd_kafka_consumer_close(client.get());
  return messages;
}

std::int64_t Broker::committed(const std::string& group, const std::string& topic,
                               std::int32_t partition) {
  const auto client = make_client(RD_KAFKA_CONSUMER, {{"group.id", group}});
  const auto list = kafka::make_list();
  auto* one = rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition);
  check(rd_kafka_committed(client.get(), list.get(), timeout_ms), "committed");
  return one->offset < 0 ? -1 : one->offset;
}

void Broker::set_down(bool down) {
  for (int id = 1; id <= mock_brokers; ++id)
    check(down ? rd_kafka_mock_broker_set_down(mock_, id) : rd_kafka_mock_broker_set_up(mock_, id),
          "set a broker up or down");
}

}  // namespace millrace::test
