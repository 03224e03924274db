// Brokers: a server of `protocol: kafka`, and the librdkafka settings that it comes to.
#pragma once

#include "connectors/kafka/handles.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/server.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace millrace::kafka {

/// One librdkafka property. Its value may be a secret, so it is printed nowhere.
using Property = std::pair<std::string, std::string>;

struct Brokers : sdk::Server {
  std::string name;  // of the server
  std::vector<Property> properties;
};

/// Connector::server.
sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input);

/// `properties:` of a server or a step: any librdkafka property; an unknown one, or one with an
/// impossible value, is a mistake.
void read_properties(sdk::ConfigReader& in, std::vector<Property>& out);

/// What librdkafka gives back to our callbacks.
struct ClientContext {
  sdk::Log* log = nullptr;  // its log lines go there, as debug lines
  void* owner = nullptr;
};

/// The settings of the server and, later wins, those of a step. `context` must outlive the client.
sdk::Result<ConfPtr> make_conf(const Brokers& brokers, const std::vector<Property>& more,
                               ClientContext& context);

}  // namespace millrace::kafka
