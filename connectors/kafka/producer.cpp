#include "connectors/kafka/producer.hpp"

#include "connectors/kafka/errors.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace millrace::kafka {
namespace {

rd_kafka_vu_t field(rd_kafka_vtype_t type) {
  rd_kafka_vu_t made{};
  made.vtype = type;
  return made;
}

// Whether a message whose report is an error may be in the log all the same.
sdk::Error report_error(const rd_kafka_message_t& message) {
  const std::string topic = rd_kafka_topic_name(message.rkt);
  auto error = to_error(message.err, "cannot send to '" + topic + "'");
  if (rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED)
    return error;
  auto detail = error.detail();
  detail.retryable = false;
  detail.outcome_unknown = true;
  return {error.kind(), error.message() + " (it may have arrived)", std::move(detail)};
}

}  // namespace

rd_kafka_resp_err_t hand_to_client(rd_kafka_t* client, Outgoing& message, void* opaque_pointer) {
  std::array<rd_kafka_vu_t, 7> fields{};
  std::size_t count = 0;
  auto topic = field(RD_KAFKA_VTYPE_TOPIC);
  topic.u.cstr = message.topic.c_str();
  fields.at(count++) = topic;
  auto partition = field(RD_KAFKA_VTYPE_PARTITION);
  partition.u.i32 = message.partition;
  fields.at(count++) = partition;
  auto flags = field(RD_KAFKA_VTYPE_MSGFLAGS);
  flags.u.i = RD_KAFKA_MSG_F_COPY;
  fields.at(count++) = flags;
  auto opaque = field(RD_KAFKA_VTYPE_OPAQUE);
  opaque.u.ptr = opaque_pointer;
  fields.at(count++) = opaque;
  if (message.key) {
    auto key = field(RD_KAFKA_VTYPE_KEY);
    key.u.mem = {message.key->data(), message.key->size()};
    fields.at(count++) = key;
  }
  if (message.value) {
    auto value = field(RD_KAFKA_VTYPE_VALUE);
    value.u.mem = {message.value->data(), message.value->size()};
    fields.at(count++) = value;
  }
  if (message.headers) {
    auto headers = field(RD_KAFKA_VTYPE_HEADERS);
    headers.u.headers = message.headers.get();
    fields.at(count++) = headers;
  }
  const ErrorPtr refused{rd_kafka_produceva(client, fields.data(), count)};
  if (refused)
    return rd_kafka_error_code(refused.get());
  static_cast<void>(message.headers.release());  // librdkafka's now
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

sdk::Result<std::shared_ptr<Producer>>
Producer::make(const Brokers& brokers, const std::vector<Property>& properties, sdk::Log* log) {
  std::shared_ptr<Producer> producer{new Producer};
  producer->context_ = {log, producer.get()};
  auto conf = make_conf(brokers, properties, producer->context_);
  if (!conf)
    return std::move(conf).error();
  rd_kafka_conf_set_events(conf->get(), RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  rd_kafka_conf_set_background_event_cb(conf->get(), &Producer::on_event);
  std::array<char, 512> reason{};
  producer->client_.reset(
    rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), reason.data(), reason.size()));
  if (!producer->client_)
    return sdk::Error{sdk::ErrorKind::config,
                      "cannot make a Kafka producer of these settings",
                      {.hint = reason.data()}};
  static_cast<void>(conf->release());  // the client's now
  // Its background thread serves what the main queue gets: nobody polls.
  const QueuePtr main{rd_kafka_queue_get_main(producer->client_.get())};
  const QueuePtr background{rd_kafka_queue_get_background(producer->client_.get())};
  rd_kafka_queue_forward(main.get(), background.get());
  return producer;
}

Producer::~Producer() {
  if (!client_)
    return;
  {
    const std::lock_guard lock{mutex_};
    closing_ = true;
    waiting_.clear();
  }
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  client_.reset();  // waits for librdkafka's threads
}

void Producer::send(sdk::Batch batch, std::vector<Outgoing> messages,
                    std::vector<sdk::Failure> failures, sdk::StepDone done) {
  if (messages.empty()) {
    done(std::move(batch), std::move(failures));
    return;
  }
  std::list<Shipment> ready;
  {
    const std::lock_guard lock{mutex_};
    auto& shipment = shipments_.emplace_back();
    const auto place = std::prev(shipments_.end());
    shipment.batch = std::move(batch);
    shipment.failures = std::move(failures);
    shipment.done = std::move(done);
    shipment.open = messages.size();
    shipment.marks.reserve(messages.size());
    for (auto& message : messages) {
      shipment.marks.push_back({place, message.index});
      waiting_.push_back({std::move(message), &shipment.marks.back()});
    }
    push_waiting();
    ready = std::exchange(complete_, {});
  }
  give_back(std::move(ready));
}

void Producer::push_waiting() {
  while (!waiting_.empty() && hand_over(waiting_.front()))
    waiting_.pop_front();
}

// @returns false where there is no room for it now.
bool Producer::hand_over(Waiting& waiting) {
  const auto failure = hand_to_client(client_.get(), waiting.message, waiting.mark);
  if (failure == RD_KAFKA_RESP_ERR__QUEUE_FULL)
    return false;
  if (failure != RD_KAFKA_RESP_ERR_NO_ERROR)
    settle(*waiting.mark, to_error(failure, "cannot send to '" + waiting.message.topic + "'"));
  return true;
}

void Producer::settle(const Mark& mark, std::optional<sdk::Error> error) {
  auto& shipment = *mark.shipment;
  if (error)
    shipment.failures.push_back({mark.index, std::move(*error)});
  if (--shipment.open == 0)
    complete_.splice(complete_.end(), shipments_, mark.shipment);
}

void Producer::give_back(std::list<Shipment> complete) {
  for (auto& shipment : complete) {
    std::ranges::sort(shipment.failures, {}, &sdk::Failure::index);
    shipment.done(std::move(shipment.batch), std::move(shipment.failures));
  }
}

void Producer::on_event(rd_kafka_t*, rd_kafka_event_t* event, void* context) {
  const EventPtr owned{event};
  auto& self = *static_cast<Producer*>(static_cast<ClientContext*>(context)->owner);
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
    self.take_reports(event);
  } else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR) {
    const auto error = to_error(rd_kafka_event_error(event), "sending");
    self.context_.log->debug("kafka trouble", {{"code", sdk::Value{error.code()}}});
  }
}

void Producer::take_reports(rd_kafka_event_t* event) {
  std::list<Shipment> ready;
  {
    const std::lock_guard lock{mutex_};
    if (closing_)
      return;
    while (const auto* message = rd_kafka_event_message_next(event)) {
      const auto& mark = *static_cast<const Mark*>(message->_private);
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        settle(mark, std::nullopt);
      else
        settle(mark, report_error(*message));
    }
    push_waiting();
    ready = std::exchange(complete_, {});
  }
  give_back(std::move(ready));
}

}  // namespace millrace::kafka
