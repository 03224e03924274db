// Server: what the steps of a connector talk to, as `servers:` says it once for all of them.
//
//   struct BrokerSettings : sdk::Server { std::string url; … };
//   sdk::ServerPtr read_server(sdk::ConfigReader& in, const sdk::ServerInput& input);   //
//   Connector::server auto broker = in.server<BrokerSettings>("kafka", "The broker"); // in a
//   step's reader
#pragma once

#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/secret.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

/// How somebody proves who they are; the words are those of AsyncAPI.
enum class SchemeType : std::uint8_t {
  user_password,  // "userPassword" or "basic"
  plain,          // SASL PLAIN
  scram_sha256,   // SASL SCRAM-SHA-256
  scram_sha512,   // SASL SCRAM-SHA-512
  bearer,         // a token in HTTP's Authorization (RFC 6750)
  api_key,        // a key in a header, a query field or a cookie
  oauth2,         // a bearer token, fetched by client credentials (RFC 6749, section 4.4)
};

std::string_view to_string(SchemeType type) noexcept;

/// Where an API key stands.
enum class KeyPlace : std::uint8_t { header, query, cookie };

/// Credentials, as `securitySchemes` says them.
struct SecurityScheme {
  std::string name;
  Place place;
  SchemeType type = SchemeType::user_password;
  std::string description;
  Text username;
  Secret password;
  Secret token;                           // of bearer; the key of api_key
  std::string key_name;                   // of api_key: of the header, field or cookie
  KeyPlace key_place = KeyPlace::header;  // of api_key
  Text token_url;                         // of oauth2, with the three that follow
  Text client_id;
  Secret client_secret;
  std::vector<std::string> scopes;
};

/// Settings of one server, read by its connector. Immutable.
class Server {
public:
  virtual ~Server() = default;

  Server() = default;
  Server(const Server&) = default;
  Server(Server&&) = default;
  Server& operator=(const Server&) = default;
  Server& operator=(Server&&) = default;
};

using ServerPtr = std::shared_ptr<const Server>;

/// What a connector hears of a server beside its options.
struct ServerInput {
  std::string name;
  std::vector<SecurityScheme> schemes;  // those that the server names
  Diagnostics* diagnostics = nullptr;   // for mistakes in the schemes; null in describing mode
};

}  // namespace millrace::sdk
