// The operations of a step: their options, the command that each makes of a record, and what its
// reply puts out.
#pragma once

#include "connectors/redis/message.hpp"
#include "connectors/redis/server.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/record.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace millrace::redis {

enum class Verb : std::uint8_t {
  get,
  set,
  del,
  incr,
  expire,
  publish,
  lpush,
  rpush,
  lpop,
  rpop,
  xadd,
  command,
};

/// When `set` writes.
enum class Only : std::uint8_t { always, absent, present };

struct CommandConfig {
  Verb verb = Verb::get;
  ServerPtr server;
  sdk::ExpressionPtr key;    // also the channel, or the stream
  sdk::ExpressionPtr value;  // null: the last output before the step
  sdk::ExpressionPtr by;     // of incr; null: 1
  sdk::ExpressionPtr id;     // of xadd; null: the server makes it
  std::vector<std::pair<std::string, sdk::ExpressionPtr>> fields;  // of xadd
  sdk::ExpressionPtr words;                                        // of command: a list
  std::chrono::milliseconds ttl{0};                                // 0: none
  bool keep_ttl = false;
  Only only = Only::always;
  std::uint64_t max_length = 0;  // of xadd; 0: any
  bool is_repeatable = false;    // as the user says of `command`
  Payload payload = Payload::json;
};

/// The options of `verb`.
void read_config(sdk::ConfigReader& in, Verb verb, CommandConfig& out);

struct Command {
  std::string bytes;
  bool is_repeatable = false;
};

/// @param input slot of the last output. @returns kind `data` or `expression` where the record
/// makes none.
sdk::Result<Command> make_command(const CommandConfig& config, const sdk::Record& record,
                                  sdk::Slot input);

/// What the step puts out for this reply.
sdk::Result<sdk::Value> read_answer(const CommandConfig& config, const Reply& reply);

}  // namespace millrace::redis
