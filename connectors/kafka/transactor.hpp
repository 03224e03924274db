// Transactor: sends what comes from claimed partitions in transactions of Kafka, each with the
// offsets of what it was made of. All or nothing: of records, of partitions, and of the offsets.
#pragma once

#include "connectors/kafka/partition.hpp"
#include "connectors/kafka/producer.hpp"
#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/step.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace millrace::kafka {

/// A thread of its own waits for the brokers. Thread-safe.
class Transactor {
public:
  /// @param name of the pipeline and the step: a part of the transactional.id.
  Transactor(const Brokers& brokers, const std::vector<Property>& properties,
             const std::string& name, sdk::Log* log);

  /// What was not committed is given up: nobody hears of it.
  ~Transactor();
  Transactor(const Transactor&) = delete;
  Transactor& operator=(const Transactor&) = delete;

  /// `batch` is of a TransactionalLane. Where `done` names a failure, nothing of it was sent.
  void send(sdk::Batch batch, std::vector<Outgoing> messages, sdk::StepDone done);

private:
  struct Job {
    sdk::Batch batch;
    std::vector<Outgoing> messages;
    sdk::StepDone done;

    const TransactionalLane& lane() const {
      return static_cast<const TransactionalLane&>(*batch.lane());
    }
  };

  using Jobs = std::vector<Job>;

  /// How far a transaction came.
  enum class End : std::uint8_t {
    committed,
    aborted,
    broken,   // not committed, and its producer is of no use any more
    unknown,  // the same, but perhaps committed
  };

  void run();
  static void drop_repeated(Jobs& jobs);
  void transact(Jobs jobs);
  sdk::Status open_client();
  sdk::Status produce(Outgoing& message);
  sdk::Status add_offsets(const Jobs& jobs, const rd_kafka_consumer_group_metadata_t& member);
  End commit(const Jobs& jobs, sdk::Error& why);
  End finish(sdk::Error& why);
  static void fail(Jobs& jobs, const sdk::Error& error);

  const Brokers& brokers_;
  std::vector<Property> properties_;
  std::string id_;
  ClientContext context_;
  std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> client_{nullptr, &rd_kafka_destroy};
  std::mutex mutex_;
  std::condition_variable news_;
  bool closing_ = false;
  Jobs waiting_;
  std::thread thread_;
};

}  // namespace millrace::kafka
