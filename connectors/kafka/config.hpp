// What `receive` and `send` are told.
#pragma once

#include "connectors/kafka/server.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::kafka {

/// How the bytes of a message are taken.
enum class Payload : std::uint8_t {
  json,
  text,   // UTF-8
  bytes,  // base64 text (RFC 4648) stands for them
};

/// Where a partition begins for which the group has committed nothing.
struct Start {
  enum class Where : std::uint8_t { earliest, latest, offset, time };

  Where where = Where::earliest;
  std::int64_t offset = 0;  // of `offset`; milliseconds since 1970 of `time`
};

struct ReceiveConfig {
  std::shared_ptr<const Brokers> brokers;
  std::vector<std::string> topics;  // those that begin with ^ are patterns
  std::string group;                // empty: the pipeline's name
  std::string instance_id;
  Payload payload = Payload::json;
  Start start;
  std::uint32_t window = 0;  // most records of one partition under way; 0: its share of 4096
  std::chrono::milliseconds session_timeout{45'000};
  std::chrono::milliseconds revoke_wait{5'000};
  bool exactly_once = false;  // offsets stand where SourceContext::offsets says
  std::vector<Property> properties;
};

struct SendConfig {
  std::shared_ptr<const Brokers> brokers;
  sdk::ExpressionPtr topic;
  sdk::ExpressionPtr key;        // null: none
  sdk::ExpressionPtr value;      // null: the last output before the step
  sdk::ExpressionPtr partition;  // null: the partitioner chooses
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> headers;
  Payload payload = Payload::json;
  std::vector<Property> properties;  // what the options come to, then `properties`
};

void read_config(sdk::ConfigReader& in, ReceiveConfig& out);
void read_config(sdk::ConfigReader& in, SendConfig& out);

}  // namespace millrace::kafka
