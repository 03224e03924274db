// Clients: the one client of a server, for all the steps and sources that name it.
#pragma once

#include "connectors/redis/client.hpp"

#include <memory>
#include <mutex>
#include <utility>

namespace millrace::redis {

/// Thread-safe.
class Clients {
public:
  /// @returns kind `config` where the files of its `tls` cannot be used.
  sdk::Result<std::shared_ptr<Client>> get(const ServerPtr& server, sdk::Reactor& reactor,
                                           sdk::Log& log) {
    const std::lock_guard lock{mutex_};
    auto client = client_.lock();
    if (!client || reactor_ != &reactor) {
      auto tls = tls_of(server);
      if (!tls)
        return std::move(tls).error();
      client = Client::make(server, reactor.loop(), std::move(*tls), log);
      client_ = client;
      reactor_ = &reactor;
    }
    return client;
  }

  /// Null where the server is not asked for it.
  sdk::Result<std::shared_ptr<TlsClient>> tls(const ServerPtr& server) {
    const std::lock_guard lock{mutex_};
    return tls_of(server);
  }

private:
  sdk::Result<std::shared_ptr<TlsClient>> tls_of(const ServerPtr& server) {
    if (!server->is_tls)
      return std::shared_ptr<TlsClient>{};
    if (!tls_) {
      auto made = TlsClient::make(*server);
      if (!made)
        return std::move(made).error();
      tls_ = std::move(*made);
    }
    return tls_;
  }

  std::mutex mutex_;
  std::weak_ptr<Client> client_;
  std::shared_ptr<TlsClient> tls_;
  const sdk::Reactor* reactor_ = nullptr;
};

}  // namespace millrace::redis
