// Producer: one librdkafka producer, shared by the replicas of a step and kept over their restarts.
#pragma once

#include "connectors/kafka/handles.hpp"
#include "connectors/kafka/server.hpp"
#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/step.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace millrace::kafka {

/// One message that is to go out for record `index`.
struct Outgoing {
  std::uint32_t index = 0;
  std::string topic;
  std::int32_t partition = RD_KAFKA_PARTITION_UA;
  std::optional<std::string> key;
  std::optional<std::string> value;
  HeadersPtr headers;
};

/// Puts it into librdkafka's queue, which takes its headers.
rd_kafka_resp_err_t hand_to_client(rd_kafka_t* client, Outgoing& message, void* opaque);

/// Thread-safe. Where librdkafka's queue is full messages wait here until a delivery report makes
/// room, in their order.
class Producer {
public:
  /// @returns kind `config` where librdkafka cannot make a producer of these settings.
  static sdk::Result<std::shared_ptr<Producer>>
  make(const Brokers& brokers, const std::vector<Property>& properties, sdk::Log* log);

  /// What is under way is given up: nobody hears of it, and it settles as lost.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  /// Sends them; `done` is called with the batch, from any thread, when the brokers have said their
  /// word on each message. @param failures of records that have no message.
  void send(sdk::Batch batch, std::vector<Outgoing> messages, std::vector<sdk::Failure> failures,
            sdk::StepDone done);

  /// Whether it can never send again (fenced, out of sequence): another one must be made.
  bool is_broken() const noexcept {
    return rd_kafka_fatal_error(client_.get(), nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR;
  }

private:
  struct Shipment;

  // What librdkafka gives back with the report on a message.
  struct Mark {
    std::list<Shipment>::iterator shipment;
    std::uint32_t index;
  };

  struct Shipment {
    sdk::Batch batch;
    std::vector<sdk::Failure> failures;
    sdk::StepDone done;
    std::vector<Mark> marks;  // never grows once messages are out
    std::size_t open = 0;
  };

  struct Waiting {
    Outgoing message;
    Mark* mark;
  };

  Producer() = default;

  static void on_event(rd_kafka_t* client, rd_kafka_event_t* event, void* context);
  void take_reports(rd_kafka_event_t* event);
  bool hand_over(Waiting& waiting);
  void push_waiting();
  void settle(const Mark& mark, std::optional<sdk::Error> error);
  static void give_back(std::list<Shipment> complete);

  ClientContext context_;
  std::mutex mutex_;
  bool closing_ = false;
  std::deque<Waiting> waiting_;
  std::list<Shipment> shipments_;
  std::list<Shipment> complete_;  // given back as soon as the lock is free
  std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client_{nullptr, &rd_kafka_destroy};
};

}  // namespace millrace::kafka
