// Transport: the bytes of one connection to a server, over TCP or a Unix socket, plain or by TLS.
// Everything happens on its loop.
#pragma once

#include "connectors/redis/server.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace millrace::redis {

/// Where to connect to: an address and a port, or the path of a Unix socket.
struct Target {
  std::string address;
  std::uint16_t port = 0;  // 0: a path
};

/// Each method starts something and returns at once; what it was given is called on the loop. One
/// read and one write may be under way. After `close` nothing succeeds.
class Transport {
public:
  /// @param problem empty: it is open.
  using OnOpen = std::function<void(std::string problem)>;
  using OnRead = std::function<void(std::size_t bytes, std::string problem)>;
  using OnWritten = std::function<void(std::string problem)>;

  virtual ~Transport() = default;
  virtual void open(const Target& target, OnOpen done) = 0;
  virtual void read(std::span<char> into, OnRead done) = 0;
  /// `bytes` must live until `done`.
  virtual void write(std::string_view bytes, OnWritten done) = 0;
  virtual void close() = 0;
};

/// Our side of TLS: whom we trust, and who we are. Thread-safe.
class TlsClient {
public:
  virtual ~TlsClient() = default;
  /// Reads the files. @returns kind `config` where one cannot be read or does not fit.
  static sdk::Result<std::shared_ptr<TlsClient>> make(const RedisServer& server);
  virtual std::unique_ptr<Transport> transport(sdk::EventLoop& loop) = 0;
};

std::unique_ptr<Transport> plain_transport(sdk::EventLoop& loop);

}  // namespace millrace::redis
