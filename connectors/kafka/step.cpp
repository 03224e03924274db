#include "connectors/kafka/step.hpp"

#include "connectors/kafka/message.hpp"
#include "connectors/sdk/offset_run.hpp"

#include <limits>
#include <string>
#include <vector>

namespace millrace::kafka {
namespace {

sdk::Result<std::int32_t> partition_of(const sdk::Value& value) {
  if (value.is_null())
    return RD_KAFKA_PARTITION_UA;
  if (!value.is_integer() || value.as_integer() < 0
      || value.as_integer() > std::numeric_limits<std::int32_t>::max())
    return unfit("'partition' is no number of a partition", "0, 1, … or null");
  return static_cast<std::int32_t>(value.as_integer());
}

}  // namespace

sdk::Status KafkaStep::start(const sdk::StepContext& context) {
  context_ = context;
  const std::lock_guard lock{shared_->mutex};
  if (!shared_->producer || shared_->producer->is_broken()) {
    auto made = Producer::make(*shared_->config.brokers, shared_->config.properties, context.log);
    if (!made)
      return std::move(made).error();
    shared_->producer = std::move(*made);
  }
  producer_ = shared_->producer;
  return {};
}

void KafkaStep::process(sdk::Batch batch, sdk::StepDone done) {
  std::vector<Outgoing> messages;
  std::vector<sdk::Failure> failures;
  messages.reserve(batch.size());
  for (std::uint32_t row = 0; row < batch.size(); ++row) {
    auto message = make(batch[row], row);
    if (message)
      messages.push_back(std::move(*message));
    else
      failures.push_back({row, std::move(message).error()});
  }
  if (sdk::OffsetRun::is_marked(batch)) {
    if (failures.empty())
      transactor().send(std::move(batch), std::move(messages), std::move(done));
    else
      done(std::move(batch), std::move(failures));
    return;
  }
  producer_->send(std::move(batch), std::move(messages), std::move(failures), std::move(done));
}

Transactor& KafkaStep::transactor() {
  const std::lock_guard lock{shared_->mutex};
  if (!shared_->transactor)
    shared_->transactor = std::make_unique<Transactor>(
      *shared_->config.brokers, shared_->config.properties, context_.pipeline + "-" + context_.name,
      context_.log);
  return *shared_->transactor;
}

sdk::Result<Outgoing> KafkaStep::make(const sdk::Record& record, std::uint32_t index) const {
  const auto& config = shared_->config;
  const sdk::Scope scope{.record = &record};
  Outgoing message;
  message.index = index;
  auto topic = config.topic->evaluate(scope);
  if (!topic)
    return std::move(topic).error();
  if (!topic->is_string() || topic->as_string().empty())
    return unfit("'topic' gives no name for this record");
  message.topic = topic->as_string();
  if (config.key) {
    auto key = config.key->evaluate(scope);
    if (!key)
      return std::move(key).error();
    message.key = encode_key(*key);
  }
  if (config.partition) {
    auto value = config.partition->evaluate(scope);
    if (!value)
      return std::move(value).error();
    auto partition = partition_of(*value);
    if (!partition)
      return std::move(partition).error();
    message.partition = *partition;
  }
  auto value = config.value ? config.value->evaluate(scope)
                            : sdk::Result<sdk::Value>{record.get(context_.input)};
  if (!value)
    return std::move(value).error();
  auto bytes = encode(config.payload, *value, "value");
  if (!bytes)
    return std::move(bytes).error();
  message.value = std::move(*bytes);
  if (!config.headers.empty())
    message.headers.reset(rd_kafka_headers_new(config.headers.size()));
  for (const auto& [name, expression] : config.headers) {
    auto header = expression->evaluate(scope);
    if (!header)
      return std::move(header).error();
    const auto text = encode_key(*header);
    rd_kafka_header_add(message.headers.get(), name.c_str(), static_cast<ssize_t>(name.size()),
                        text ? text->data() : nullptr,
                        text ? static_cast<ssize_t>(text->size()) : 0);
  }
  return message;
}

}  // namespace millrace::kafka
