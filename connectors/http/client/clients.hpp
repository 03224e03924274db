// Clients: the one client of a server, for all the steps that name it.
#pragma once

#include "connectors/http/client/client.hpp"

#include <memory>
#include <mutex>

namespace millrace::http {

/// Thread-safe.
class Clients {
public:
  std::shared_ptr<Client> get(const HttpServer& server, sdk::Reactor& reactor) {
    const std::lock_guard lock{mutex_};
    auto client = client_.lock();
    if (!client || reactor_ != &reactor) {
      client = Client::make(server, reactor);
      client_ = client;
      reactor_ = &reactor;
    }
    return client;
  }

private:
  std::mutex mutex_;
  std::weak_ptr<Client> client_;
  const sdk::Reactor* reactor_ = nullptr;
};

}  // namespace millrace::http
