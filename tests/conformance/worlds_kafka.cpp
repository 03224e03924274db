// librdkafka's mock cluster.
#include "tests/conformance/world.hpp"
#include "tests/connectors/kafka/broker.hpp"

namespace millrace::test {
namespace {

template <class W>
class KafkaWorld : public W {
public:
  KafkaWorld() { broker_.make_topic("t", 1); }

  std::string servers() const override {
    return "  broker: {protocol: kafka, url: '" + broker_.url() + "'}\n";
  }

  bool has_server() const override { return true; }

  void go_away() override { broker_.set_down(true); }

  void come_back() override { broker_.set_down(false); }

protected:
  Broker broker_{"mock"};
};

class TopicSource final : public KafkaWorld<SourceWorld> {
public:
  std::string step() const override {
    return "type: kafka, operation: receive, server: broker, topic: t, sessionTimeout: 6s";
  }

  void put(int from, int to, std::uint16_t) override {
    std::vector<Message> all;
    for (int n = from; n < to; ++n)
      all.push_back({"k", "{\"n\":" + std::to_string(n) + "}"});
    broker_.produce("t", 0, all);
  }

  bool remembers() const override { return true; }

  bool comes_again() const override { return true; }
};

class TopicSink final : public KafkaWorld<SinkWorld> {
public:
  std::string step() const override {
    return "type: kafka, operation: send, server: broker, topic: t, deliveryTimeout: 2s";
  }

  std::vector<int> taken() override {
    std::string all;
    for (const auto& message : broker_.read_all("t"))
      all += message.value.value_or("") + "\n";
    return numbers_in(all);
  }
};

}  // namespace

void add_kafka(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks) {
  sources.push_back({"Kafka", [] { return std::make_unique<TopicSource>(); }});
  sinks.push_back({"Kafka", [] { return std::make_unique<TopicSink>(); }});
}

}  // namespace millrace::test
