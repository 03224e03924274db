// KafkaSource with delivery: exactly-once: partitions are claimed in the database before they are
// read, and read from where it says.
#include "connectors/kafka/source.hpp"

#include <string>
#include <utility>

namespace millrace::kafka {

sdk::LanePtr KafkaSource::make_lane(const rd_kafka_topic_partition_t& one,
                                    const sdk::OffsetClaim* claim) const {
  const std::string topic = one.topic;
  auto name = topic + "/" + std::to_string(one.partition);
  auto meta = sdk::Value::object({{"topic", topic}, {"partition", one.partition}});
  if (is_transactional())
    return std::make_shared<TransactionalLane>(std::move(name), std::move(meta),
                                               sdk::OffsetKey{group_, topic, one.partition}, gate_);
  if (!claim)
    return std::make_shared<sdk::Lane>(std::move(name), std::move(meta));
  return std::make_shared<ClaimedLane>(std::move(name), std::move(meta),
                                       sdk::OffsetKey{group_, topic, one.partition}, *claim);
}

// The group's next question comes only when this one is answered, so there is one list at most.
void KafkaSource::claim(PartitionListPtr list) {
  Claims claims;
  claims.open = static_cast<std::size_t>(list->cnt);
  claims.claims.resize(claims.open);
  claims.list = std::move(list);
  claims_ = std::move(claims);
  for (int i = 0; i < claims_->list->cnt; ++i) {
    const auto& one = claims_->list->elems[i];
    context_.offsets->claim(
      {group_, one.topic, one.partition},
      [answers = answers_, wake = wake_, i](sdk::Result<sdk::OffsetClaim> claim) {
        {
          const std::lock_guard lock{answers->mutex};
          answers->all.emplace_back(i, std::move(claim));
        }
        wake->signal.set();
      });
  }
  take_claims();
}

void KafkaSource::take_claims() {
  if (!claims_)
    return;
  std::vector<std::pair<int, sdk::Result<sdk::OffsetClaim>>> news;
  {
    const std::lock_guard lock{answers_->mutex};
    news.swap(answers_->all);
  }
  for (auto& [index, claim] : news) {
    --claims_->open;
    if (claim)
      claims_->claims[static_cast<std::size_t>(index)] = *claim;
    else
      claims_->error = claim.error();
  }
  if (claims_->open == 0)
    end_claims();
}

void KafkaSource::end_claims() {
  auto claims = std::move(*claims_);
  claims_.reset();
  if (claims.open == 0 && !claims.error) {
    take_partitions(claims.list.get(), &claims);
    return;
  }
  // The group waits for an answer: they are taken, and given back when the source ends.
  if (is_cooperative())
    const ErrorPtr failure{rd_kafka_incremental_assign(client_.get(), claims.list.get())};
  else
    rd_kafka_assign(client_.get(), claims.list.get());
  if (claims.error)
    fail({claims.error->kind(),
          "cannot claim partitions in the database: " + claims.error->message(),
          claims.error->detail()});
}

// A transaction that is under way ends first; later ones leave the partitions alone.
void KafkaSource::fence_leaving(bool all) {
  if (!is_transactional())
    return;
  const std::lock_guard lock{gate_->mutex};
  for (const auto& [key, partition] : partitions_) {
    if (all || partition.leaving)
      partition.lane->ledger()->fence();
  }
  if (all)
    gate_->consumer = nullptr;
}

// Where the group agrees, it takes the partition back soon; where it does not (two groups of one
// name), this source begins anew and claims it again.
void KafkaSource::hear_of_fence(const Partition& partition) {
  if (!partition.leaving)
    fail({sdk::ErrorKind::transaction,
          partition.lane->name() + " was claimed by another process",
          {.retryable = true}});
}

}  // namespace millrace::kafka
