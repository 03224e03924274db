// What `receive` and `subscribe` are told.
#pragma once

#include "connectors/redis/message.hpp"
#include "connectors/redis/server.hpp"
#include "connectors/sdk/config_reader.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace millrace::redis {

struct ReceiveConfig {
  ServerPtr server;
  std::string stream;  // one of the two
  std::string list;
  std::string group;        // of a stream; empty: the pipeline's name
  std::string consumer;     // empty: the name of this machine
  std::string start = "0";  // of a group that is made anew: an id, or "$"
  std::string field;        // of a stream: the one that is the record; empty: all, as an object
  std::string processing;   // of a list: where its open elements are; empty: made of the others
  std::chrono::milliseconds claim_after{60'000};  // of a stream; 0: never
  std::size_t count = 256;                        // most that are asked for at once
  Payload payload = Payload::json;
};

struct SubscribeConfig {
  ServerPtr server;
  std::vector<std::string> channels;
  std::vector<std::string> patterns;
  Payload payload = Payload::json;
};

void read_config(sdk::ConfigReader& in, ReceiveConfig& out);
void read_config(sdk::ConfigReader& in, SubscribeConfig& out);

}  // namespace millrace::redis
