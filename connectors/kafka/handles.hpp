// librdkafka's objects, owned.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>

namespace millrace::kafka {

struct Destroy {
  void operator()(rd_kafka_conf_t* conf) const noexcept { rd_kafka_conf_destroy(conf); }

  void operator()(rd_kafka_topic_partition_list_t* list) const noexcept {
    rd_kafka_topic_partition_list_destroy(list);
  }

  void operator()(rd_kafka_queue_t* queue) const noexcept { rd_kafka_queue_destroy(queue); }

  void operator()(rd_kafka_event_t* event) const noexcept { rd_kafka_event_destroy(event); }

  void operator()(rd_kafka_error_t* error) const noexcept { rd_kafka_error_destroy(error); }

  void operator()(rd_kafka_headers_t* headers) const noexcept { rd_kafka_headers_destroy(headers); }

  void operator()(rd_kafka_consumer_group_metadata_t* member) const noexcept {
    rd_kafka_consumer_group_metadata_destroy(member);
  }
};

using ConfPtr = std::unique_ptr<rd_kafka_conf_t, Destroy>;
using PartitionListPtr = std::unique_ptr<rd_kafka_topic_partition_list_t, Destroy>;
using QueuePtr = std::unique_ptr<rd_kafka_queue_t, Destroy>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, Destroy>;
using ErrorPtr = std::unique_ptr<rd_kafka_error_t, Destroy>;
using GroupMetadataPtr = std::unique_ptr<rd_kafka_consumer_group_metadata_t, Destroy>;
using HeadersPtr = std::unique_ptr<rd_kafka_headers_t, Destroy>;

inline PartitionListPtr make_list(int capacity = 8) {
  return PartitionListPtr{rd_kafka_topic_partition_list_new(capacity)};
}

}  // namespace millrace::kafka
