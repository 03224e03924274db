// Client: calls to one server, with its connections and credentials. Shared by the steps that name
// the server; made with the first and gone with the last of them.
#pragma once

#include "connectors/http/client/call.hpp"
#include "connectors/http/server.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"

#include <functional>
#include <memory>

namespace millrace::http {

/// Thread-safe.
class Client {
public:
  using Done = std::function<void(sdk::Result<CallReply>)>;

  virtual ~Client() = default;

  /// Credentials are added. `done` is called once, on the reactor: with any reply that came, or
  /// with why there is none.
  /// @param what "GET /orders", for messages.
  virtual void call(Call call, const CallRules& rules, std::string what, Done done) = 0;

  static std::shared_ptr<Client> make(const HttpServer& server, sdk::Reactor& reactor);
};

}  // namespace millrace::http
