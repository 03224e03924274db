#include "connectors/kafka/source.hpp"

#include "connectors/kafka/errors.hpp"
#include "connectors/kafka/message.hpp"
#include "connectors/sdk/worker.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace millrace::kafka {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t intake_records = 512;
constexpr std::size_t all_windows = 4096;  // the default credit of a source
constexpr std::size_t least_window = 16;
constexpr std::size_t record_bytes = 64;  // what a record costs beside its payload
constexpr auto close_patience = 5s;
constexpr auto empty_patience = 5s;  // --once: a member that the group gave nothing

// Whether a message stands where the database says that all is done: then it is not the log that
// was read.
bool is_rewritten(const Partition& partition, const rd_kafka_message_t& message) {
  const auto* ledger = partition.lane->ledger();
  return ledger && message.offset < ledger->next();
}

sdk::Error rewritten(const Partition& partition, const rd_kafka_message_t& message) {
  return {sdk::ErrorKind::data,
          partition.lane->name() + " begins anew at offset " + std::to_string(message.offset)
            + ", and the database says that all before "
            + std::to_string(partition.lane->ledger()->next()) + " is done",
          {.hint = "where the topic was made anew, stop the pipeline and delete its rows from the "
                   "table of the offsets"}};
}

}  // namespace

KafkaSource::~KafkaSource() {
  stopping_ = true;
  closing_ = true;
  wake_->signal.set();
  if (thread_.joinable())
    thread_.join();
}

void KafkaSource::stop() {
  stopping_ = true;
  wake_->signal.set();
}

sdk::Status KafkaSource::start(const sdk::SourceContext& context) {
  context_ = context;
  group_ = config_->group.empty() ? context.pipeline : config_->group;
  std::vector<Property> properties{
    {"group.id", group_},
    {"enable.auto.commit", is_transactional() ? "false" : "true"},
    {"auto.commit.interval.ms", "1000"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", config_->start.where == Start::Where::latest ? "latest" : "earliest"},
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"session.timeout.ms", std::to_string(config_->session_timeout.count())},
    {"enable.partition.eof", context.once ? "true" : "false"},
    {"log.connection.close", "false"},
  };
  if (!config_->instance_id.empty())
    properties.emplace_back("group.instance.id", config_->instance_id);
  properties.insert(properties.end(), config_->properties.begin(), config_->properties.end());
  client_context_.log = context.log;
  auto conf = make_conf(*config_->brokers, properties, client_context_);
  if (!conf)
    return std::move(conf).error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR);
  std::array<char, 32> interval{};
  std::size_t size = interval.size();
  if (rd_kafka_conf_get(conf->get(), "max.poll.interval.ms", interval.data(), &size)
      == RD_KAFKA_CONF_OK)
    poll_interval_ = std::chrono::milliseconds{std::atol(interval.data())};
  std::array<char, 512> reason{};
  client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf->get(), reason.data(), reason.size()));
  if (!client_)
    return sdk::Error{sdk::ErrorKind::config,
                      "cannot make a Kafka consumer of these settings",
                      {.hint = reason.data()}};
  static_cast<void>(conf->release());  // the client's now
  rd_kafka_poll_set_consumer(client_.get());
  gate_->consumer = client_.get();
  events_.reset(rd_kafka_queue_get_consumer(client_.get()));
  wake_->signal.watch(events_.get());
  const auto topics = make_list();
  for (const auto& topic : config_->topics)
    rd_kafka_topic_partition_list_add(topics.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto failure = rd_kafka_subscribe(client_.get(), topics.get());
      failure != RD_KAFKA_RESP_ERR_NO_ERROR) {
    events_.reset();
    return to_error(failure, "cannot subscribe to '" + config_->topics.front() + "'");
  }
  thread_ = sdk::start_thread("kafka-read", [this] { run(); });
  return {};
}

void KafkaSource::run() {
  while (!closing_) {
    take_settled();
    store_offsets();
    serve_events();
    take_claims();
    say_farewell(false);
    bool busy = false;
    if (stopping_) {
      end();
    } else if (!ended_) {
      for (auto& [key, partition] : partitions_)
        busy |= read(partition);
      check_end();
    }
    if (!busy)
      wake_->signal.wait(patience());
  }
  close();
}

// Gives the group our partitions back; librdkafka commits what is stored on the way.
void KafkaSource::close() {
  take_settled();
  store_offsets();
  fence_leaving(true);
  if (claims_)
    end_claims();  // the group's question wants its answer first
  const ErrorPtr failure{rd_kafka_consumer_close_queue(client_.get(), events_.get())};
  const auto deadline = context_.clock->now() + close_patience;
  while (!failure && rd_kafka_consumer_closed(client_.get()) == 0
         && context_.clock->now() < deadline) {
    serve_events();
    say_farewell(true);
    wake_->signal.wait(10ms);
  }
  partitions_.clear();
  events_.reset();
  rd_kafka_destroy_flags(client_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

std::chrono::milliseconds KafkaSource::patience() const {
  // The group wants to see us poll in time.
  auto limit = std::min<std::chrono::milliseconds>(1min, poll_interval_ / 3);
  if (farewell_)
    limit = std::min(
      limit, std::chrono::ceil<std::chrono::milliseconds>(std::max(
               farewell_->deadline - context_.clock->now(), sdk::Instant::duration::zero())));
  if (context_.once && !ended_)
    limit = std::min<std::chrono::milliseconds>(limit, empty_patience);
  return limit;
}

// --- intake

std::size_t KafkaSource::window() const noexcept {
  if (config_->window > 0)
    return config_->window;
  return std::max(least_window, all_windows / std::max<std::size_t>(1, partitions_.size()));
}

bool KafkaSource::has_credit() {
  if (context_.events->has_credit())
    return true;
  if (!wake_->awaits_credit.exchange(true))
    context_.events->when_credit([wake = wake_] {
      wake->awaits_credit = false;
      wake->signal.set();
    });
  return false;
}

// @returns whether there may be more.
bool KafkaSource::read(Partition& partition) {
  const auto room = std::min(partition.room(window()), intake_records);
  if (room == 0 || partition.leaving || !has_credit())
    return false;
  std::array<rd_kafka_message_t*, intake_records> messages{};
  const auto count = rd_kafka_consume_batch_queue(partition.queue.get(), 0, messages.data(), room);
  if (count <= 0)
    return false;
  emit(partition, {messages.data(), static_cast<std::size_t>(count)});
  return true;
}

void KafkaSource::emit(Partition& partition, std::span<rd_kafka_message_t*> messages) {
  sdk::Intake intake{.lane = partition.lane};
  intake.records.reserve(messages.size());
  for (auto* message : messages) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      partition.at_end = true;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      on_error(message->err, rd_kafka_message_errstr(message));
    } else {
      partition.at_end = false;
      told_down_ = false;
      if (is_rewritten(partition, *message)) {
        fail(rewritten(partition, *message));
        rd_kafka_message_destroy(message);
        continue;
      }
      auto& record = intake.records.emplace_back();
      record.position = static_cast<std::uint64_t>(message->offset);
      auto value = decode(config_->payload, json_, message->payload, message->len);
      if (!value) {
        const auto& why = value.error();
        intake.failures.push_back(
          {.index = static_cast<std::uint32_t>(intake.records.size() - 1),
           .error = {why.kind(),
                     partition.lane->name() + " at offset " + std::to_string(message->offset) + ": "
                       + why.message(),
                     why.detail()}});
        value = raw_text(message->payload, message->len);
      }
      record.set(context_.output, std::move(*value));
      if (context_.meta)
        record.set(*context_.meta, meta_of(*message, partition.topic));
      intake.bytes += message->len + message->key_len + record_bytes;
      partition.open.push_back(record.position);
    }
    rd_kafka_message_destroy(message);
  }
  if (!intake.records.empty() && !ended_)
    context_.events->emit(std::move(intake));
}

// --- settlement

void KafkaSource::settled(const sdk::Lane& lane, std::uint64_t position) {
  {
    const std::lock_guard lock{mutex_};
    settled_.emplace_back(lane.id(), position);
  }
  wake_->signal.set();
}

void KafkaSource::take_settled() {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> news;
  {
    const std::lock_guard lock{mutex_};
    news.swap(settled_);
  }
  for (const auto& [lane, position] : news) {
    // Of a partition that was taken back meanwhile nobody wants to know any more.
    for (auto& [key, partition] : partitions_) {
      if (partition.lane->id() != lane)
        continue;
      if (const auto* ledger = partition.lane->ledger(); ledger && ledger->fenced())
        hear_of_fence(partition);
      else
        partition.settled(position);
    }
  }
}

void KafkaSource::store_offsets() {
  if (is_transactional())
    return;
  PartitionListPtr list;
  for (auto& [key, partition] : partitions_) {
    if (partition.next <= partition.stored)
      continue;
    if (!list)
      list = make_list();
    rd_kafka_topic_partition_list_add(list.get(), key.topic.c_str(), key.number)->offset =
      partition.next;
    partition.stored = partition.next;
  }
  // Fails for partitions that were lost a moment ago: their next owner reads them again.
  if (list)
    rd_kafka_offsets_store(client_.get(), list.get());
}

// --- the end

void KafkaSource::check_end() {
  if (!context_.once || !assigned_ || ended_)
    return;
  if (partitions_.empty() && context_.clock->now() < assigned_at_ + empty_patience)
    return;
  if (std::ranges::all_of(partitions_, [](const auto& entry) { return entry.second.at_end; }))
    end();
}

void KafkaSource::end() {
  if (!std::exchange(ended_, true))
    context_.events->end();
}

void KafkaSource::fail(sdk::Error error) {
  if (!std::exchange(ended_, true))
    context_.events->fail(std::move(error));
}

}  // namespace millrace::kafka
