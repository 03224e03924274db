// What the group says to a KafkaSource: partitions that come and go, and errors.
#include "connectors/kafka/errors.hpp"
#include "connectors/kafka/source.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace millrace::kafka {
namespace {

constexpr int query_timeout_ms = 10'000;

// Errors that no attempt of ours ends: somebody has to do something.
bool needs_help(rd_kafka_resp_err_t failure) {
  switch (failure) {
  case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
  case RD_KAFKA_RESP_ERR__AUTHENTICATION:
  case RD_KAFKA_RESP_ERR__SSL:
  case RD_KAFKA_RESP_ERR__RESOLVE:
  case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
  case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
  case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
  case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    return true;
  default:
    return false;
  }
}

}  // namespace

void KafkaSource::serve_events() {
  while (const EventPtr event{rd_kafka_queue_poll(events_.get(), 0)}) {
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE)
      on_rebalance(event.get());
    else if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR)
      on_error(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
  }
}

void KafkaSource::on_error(rd_kafka_resp_err_t failure, const char* reason) {
  const auto doing = "reading from '" + config_->brokers->name + "'";
  if (failure == RD_KAFKA_RESP_ERR__FATAL) {
    std::string text(512, '\0');
    const auto cause = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
    fail(to_error(cause, doing));
    return;
  }
  auto error = to_error(failure, doing);
  if (needs_help(failure)) {
    // Who asked for one run wants an end of it; else it is tried for ever, and said once.
    if (context_.once)
      fail(std::move(error));
    else if (!std::exchange(told_down_, true))
      context_.log->error("kafka unreachable", {{"server", sdk::Value{config_->brokers->name}},
                                                {"reason", sdk::Value{error.to_string()}}});
    return;
  }
  context_.log->debug("kafka trouble", {{"server", sdk::Value{config_->brokers->name}},
                                        {"code", sdk::Value{error.code()}},
                                        {"reason", sdk::Value{reason ? reason : ""}}});
}

bool KafkaSource::is_cooperative() const {
  const char* protocol = rd_kafka_rebalance_protocol(client_.get());
  return protocol && std::string_view{protocol} == "COOPERATIVE";
}

void KafkaSource::on_rebalance(rd_kafka_event_t* event) {
  auto* list = rd_kafka_event_topic_partition_list(event);
  if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    assign(list);
    return;
  }
  // The next event comes only when this one is answered, so there is one farewell at most.
  revoke(PartitionListPtr{rd_kafka_topic_partition_list_copy(list)},
         rd_kafka_assignment_lost(client_.get()) != 0);
}

void KafkaSource::assign(rd_kafka_topic_partition_list_t* list) {
  if (config_->start.where == Start::Where::offset || config_->start.where == Start::Where::time)
    seek_first(list);
  if (context_.offsets)
    claim(PartitionListPtr{rd_kafka_topic_partition_list_copy(list)});
  else
    take_partitions(list, nullptr);
}

void KafkaSource::take_partitions(rd_kafka_topic_partition_list_t* list, const Claims* claims) {
  for (int i = 0; i < list->cnt; ++i) {
    auto& one = list->elems[i];
    const auto* claim = claims ? &*claims->claims[static_cast<std::size_t>(i)] : nullptr;
    if (claim && claim->next >= 0)
      one.offset = claim->next;
    auto& partition = partitions_[{one.topic, one.partition}];
    partition = {};
    partition.topic = one.topic;
    partition.number = one.partition;
    partition.lane = make_lane(one, claim);
    // Its messages stay in a queue of their own, which is read while there is room. To be said
    // before the fetching begins.
    partition.queue.reset(rd_kafka_queue_get_partition(client_.get(), one.topic, one.partition));
    rd_kafka_queue_forward(partition.queue.get(), nullptr);
    wake_->signal.watch(partition.queue.get());
  }
  assigned_ = true;
  assigned_at_ = context_.clock->now();
  told_down_ = false;
  context_.log->info("partitions assigned",
                     {{"source", sdk::Value{context_.name}},
                      {"count", sdk::Value{list->cnt}},
                      {"total", sdk::Value{static_cast<std::uint64_t>(partitions_.size())}}});
  if (is_cooperative()) {
    if (const ErrorPtr failure{rd_kafka_incremental_assign(client_.get(), list)})
      fail(to_error(rd_kafka_error_code(failure.get()), "cannot take partitions"));
  } else if (const auto failure = rd_kafka_assign(client_.get(), list);
             failure != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fail(to_error(failure, "cannot take partitions"));
  }
}

// Where the group has committed nothing: begin where the user said.
void KafkaSource::seek_first(rd_kafka_topic_partition_list_t* list) {
  if (const auto failure = rd_kafka_committed(client_.get(), list, query_timeout_ms);
      failure != RD_KAFKA_RESP_ERR_NO_ERROR) {
    fail(to_error(failure, "cannot ask where the group stands"));
    return;
  }
  const auto fresh = make_list();
  for (int i = 0; i < list->cnt; ++i) {
    if (list->elems[i].offset < 0)
      rd_kafka_topic_partition_list_add(fresh.get(), list->elems[i].topic, list->elems[i].partition)
        ->offset = config_->start.offset;
  }
  if (fresh->cnt > 0 && config_->start.where == Start::Where::time) {
    if (const auto failure = rd_kafka_offsets_for_times(client_.get(), fresh.get(),
                                                        query_timeout_ms);
        failure != RD_KAFKA_RESP_ERR_NO_ERROR) {
      fail(to_error(failure, "cannot ask which offset belongs to 'start'"));
      return;
    }
  }
  for (int i = 0; i < fresh->cnt; ++i) {
    const auto& found = fresh->elems[i];
    auto* one = rd_kafka_topic_partition_list_find(list, found.topic, found.partition);
    one->offset = found.offset < 0 ? RD_KAFKA_OFFSET_END : found.offset;
  }
}

void KafkaSource::revoke(PartitionListPtr list, bool lost) {
  for (int i = 0; i < list->cnt; ++i) {
    const auto found = partitions_.find({list->elems[i].topic, list->elems[i].partition});
    if (found != partitions_.end())
      found->second.leaving = true;
  }
  context_.log->info(lost ? "partitions lost" : "partitions revoked",
                     {{"source", sdk::Value{context_.name}}, {"count", sdk::Value{list->cnt}}});
  const auto wait = lost ? std::chrono::milliseconds{0}
                         : std::min(config_->revoke_wait, poll_interval_ / 3);
  farewell_ = Farewell{std::move(list), context_.clock->now() + wait};
  say_farewell(lost);
}

void KafkaSource::say_farewell(bool now) {
  if (!farewell_)
    return;
  const bool idle = std::ranges::none_of(partitions_, [](const auto& entry) {
    return entry.second.leaving && !entry.second.open.empty();
  });
  if (!now && !idle && context_.clock->now() < farewell_->deadline)
    return;
  const auto list = std::move(farewell_->list);
  farewell_.reset();
  store_offsets();
  fence_leaving(false);
  std::erase_if(partitions_, [](const auto& entry) { return entry.second.leaving; });
  unassign(list.get());
}

// librdkafka commits what was stored of them first.
void KafkaSource::unassign(rd_kafka_topic_partition_list_t* list) {
  if (is_cooperative())
    const ErrorPtr failure{rd_kafka_incremental_unassign(client_.get(), list)};
  else
    rd_kafka_assign(client_.get(), nullptr);
}

}  // namespace millrace::kafka
