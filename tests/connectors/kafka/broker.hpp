// Brokers for tests: librdkafka's mock cluster in this process, and a real one where
// MILLRACE_TEST_KAFKA names it; with plain librdkafka to look at what is in a topic.
//
//   Broker broker{"mock"};
//   broker.make_topic("orders", 3);
//   broker.produce("orders", 0, {{"k", "{\"n\":1}"}});
//   const auto messages = broker.read("orders", 1);
#pragma once

#include "connectors/kafka/handles.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

struct rd_kafka_mock_cluster_s;

namespace millrace::test {

struct Message {
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::map<std::string, std::string> headers{};
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

class Broker {
public:
  /// @param kind "mock" or "real".
  explicit Broker(const std::string& kind);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  /// Why there is no broker of that kind here; empty: there is.
  static std::string why_not(const std::string& kind);

  const std::string& url() const noexcept { return url_; }

  void make_topic(const std::string& topic, int partitions);

  /// Sends them to one partition and waits until they are there.
  void produce(const std::string& topic, std::int32_t partition, const std::vector<Message>& all);

  /// Reads all partitions from their start until there are `count` messages, for 30 s at most.
  std::vector<Message> read(const std::string& topic, std::size_t count);

  /// Reads all that is there and committed, once it is certain that nothing of it is still open.
  std::vector<Message> read_all(const std::string& topic);

  /// The offset that the group has committed; -1: none.
  std::int64_t committed(const std::string& group, const std::string& topic,
                         std::int32_t partition);

  /// Of the mock: all of its brokers stop answering, or begin again.
  void set_down(bool down);

private:
  using ClientPtr = std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)>;

  ClientPtr make_client(rd_kafka_type_t type,
                        const std::vector<std::pair<std::string, std::string>>& properties) const;
  int partitions_of(const std::string& topic);

  ClientPtr owner_{nullptr, &rd_kafka_destroy};  // of the mock
  rd_kafka_mock_cluster_s* mock_ = nullptr;
  std::string url_;
  std::map<std::string, int> partitions_;
};

}  // namespace millrace::test
