// Notifications: what a server sends to a connection that listens (PostgreSQL: LISTEN, NOTIFY).
//
//   session.execute({.sql = "LISTEN orders", .listener = listener}, done);
#pragma once

#include "connectors/sdk/error.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace millrace::sdk {

struct Notification {
  std::string channel;
  std::string payload;
  std::int64_t process = 0;  // of the server, that sent it
};

/// Hears what comes in on the connection of the statement that named it. Called on the wire's
/// thread; must only pass the news on.
class NotificationListener {
public:
  virtual ~NotificationListener() = default;

  virtual void notified(Notification notification) = 0;

  /// Once, last: the connection is gone.
  virtual void lost(const Error& error) = 0;

  /// While it is not ready the connection is not read, and the server keeps what comes.
  virtual bool ready() const = 0;

  /// Calls `resume` once, from any thread, as soon as it is ready.
  virtual void when_ready(std::function<void()> resume) = 0;
};

}  // namespace millrace::sdk
