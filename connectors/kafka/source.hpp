// KafkaSource: a member of a consumer group. Each partition is a lane; its offset is committed when
// all records before it have settled.
#pragma once

#include "connectors/kafka/config.hpp"
#include "connectors/kafka/partition.hpp"
#include "connectors/kafka/signal.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/source.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

namespace millrace::kafka {

/// A thread of its own serves librdkafka's queues. Those of the partitions are read only while
/// there is room for more of them, which bounds memory without pausing anybody.
class KafkaSource final : public sdk::Source {
public:
  explicit KafkaSource(std::shared_ptr<const ReceiveConfig> config) : config_{std::move(config)} {}

  ~KafkaSource() override;
  KafkaSource(const KafkaSource&) = delete;
  KafkaSource& operator=(const KafkaSource&) = delete;

  sdk::Status start(const sdk::SourceContext& context) override;
  void settled(const sdk::Lane& lane, std::uint64_t position) override;
  void stop() override;

private:
  struct Key {
    std::string topic;
    std::int32_t number;
    auto operator<=>(const Key&) const = default;
  };

  // Outlives the source where the engine still owes it credit.
  struct Wake {
    Signal signal;
    std::atomic<bool> awaits_credit{false};
  };

  // Partitions that go when their records have settled, or at the deadline.
  struct Farewell {
    PartitionListPtr list;
    sdk::Instant deadline;
  };

  // Partitions that are ours as soon as their claims are answered.
  struct Claims {
    PartitionListPtr list;
    std::vector<std::optional<sdk::OffsetClaim>> claims;  // as in `list`
    std::size_t open = 0;
    std::optional<sdk::Error> error;
  };

  // Where the answers come in; outlives the source like Wake.
  struct ClaimAnswers {
    std::mutex mutex;
    std::vector<std::pair<int, sdk::Result<sdk::OffsetClaim>>> all;
  };

  void run();
  void close();
  void serve_events();
  void on_rebalance(rd_kafka_event_t* event);
  void on_error(rd_kafka_resp_err_t failure, const char* reason);
  void assign(rd_kafka_topic_partition_list_t* list);
  void claim(PartitionListPtr list);
  void take_claims();
  void end_claims();
  void take_partitions(rd_kafka_topic_partition_list_t* list, const Claims* claims);
  sdk::LanePtr make_lane(const rd_kafka_topic_partition_t& one,
                         const sdk::OffsetClaim* claim) const;

  bool is_transactional() const noexcept { return config_->exactly_once && !context_.offsets; }

  void fence_leaving(bool all);
  void hear_of_fence(const Partition& partition);
  void seek_first(rd_kafka_topic_partition_list_t* list);
  void revoke(PartitionListPtr list, bool lost);
  void say_farewell(bool now);
  void unassign(rd_kafka_topic_partition_list_t* list);
  bool read(Partition& partition);
  void emit(Partition& partition, std::span<rd_kafka_message_t*> messages);
  bool has_credit();
  void take_settled();
  void store_offsets();
  void check_end();
  std::size_t window() const noexcept;
  std::chrono::milliseconds patience() const;
  bool is_cooperative() const;
  void end();
  void fail(sdk::Error error);

  std::shared_ptr<const ReceiveConfig> config_;
  sdk::SourceContext context_;
  ClientContext client_context_;
  std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client_{nullptr, &rd_kafka_destroy};
  QueuePtr events_;
  std::map<Key, Partition> partitions_;
  std::optional<Farewell> farewell_;
  std::optional<Claims> claims_;
  std::string group_;
  std::shared_ptr<GroupGate> gate_ = std::make_shared<GroupGate>();
  sdk::JsonReader json_;
  bool assigned_ = false;
  sdk::Instant assigned_at_;
  bool ended_ = false;
  bool told_down_ = false;
  std::chrono::milliseconds poll_interval_{300'000};

  std::atomic<bool> stopping_{false};  // no more intake
  std::atomic<bool> closing_{false};   // nothing will settle any more
  std::shared_ptr<Wake> wake_ = std::make_shared<Wake>();
  std::shared_ptr<ClaimAnswers> answers_ = std::make_shared<ClaimAnswers>();
  std::mutex mutex_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> settled_;  // lane id, position
  std::thread thread_;
};

}  // namespace millrace::kafka
