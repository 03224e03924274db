#include "connectors/sdk/connector.hpp"

#include "connectors/kafka/config.hpp"
#include "connectors/kafka/server.hpp"
#include "connectors/kafka/source.hpp"
#include "connectors/kafka/step.hpp"

#include <array>
#include <memory>
#include <utility>

namespace millrace::kafka {
namespace {

sdk::SourceFactory make_source(sdk::ConfigReader& in) {
  auto config = std::make_shared<ReceiveConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing() || !config->brokers)
    return {};
  return [config = std::shared_ptr<const ReceiveConfig>{std::move(config)}] {
    return std::make_unique<KafkaSource>(config);
  };
}

sdk::StepFactory make_step(sdk::ConfigReader& in) {
  auto shared = std::make_shared<SharedSend>();
  read_config(in, shared->config);
  if (!in.finish() || in.is_describing() || !shared->config.brokers)
    return {};
  return [shared = std::move(shared)] { return std::make_unique<KafkaStep>(shared); };
}

constexpr std::array operations{
  sdk::Operation{.name = "receive",
                 .doc = "Reads topics as a member of a consumer group; each partition is a lane",
                 .source = &make_source,
                 .rereads = true,
                 .keeps_offsets = true,
                 .guarantee = "an offset is committed when every record before it has settled, so "
                              "after a crash or a rebalance some records come again"},
  sdk::Operation{.name = "send",
                 .doc = "Sends a message per record",
                 .step = &make_step,
                 .effects = sdk::Effects::external,
                 .guarantee = "a record is done when the brokers have acknowledged its message; a "
                              "record that is delivered again is sent again"},
};

constexpr std::array schemes{sdk::SchemeType::user_password, sdk::SchemeType::plain,
                             sdk::SchemeType::scram_sha256, sdk::SchemeType::scram_sha512};

}  // namespace

extern const sdk::Connector connector;
constinit const sdk::Connector connector{.name = "kafka",
                                         .doc = "Topics of Apache Kafka",
                                         .operations = operations,
                                         .server = &read_server,
                                         .schemes = schemes};

}  // namespace millrace::kafka
