// FaultProxy: stands between a client and its server, on a thread of its own, and does to their
// connections what networks do: cuts, stalls, half-closes, delays, trickles and garbles them.
//
//   FaultProxy proxy{{.host = server->host(), .port = server->port()}};
//   settings.hosts = {{"127.0.0.1", proxy.port()}};
//   proxy.expect({.kind = Fault::Kind::cut, .direction = Direction::to_server, .at = "COMMIT"});
//   …                                            // the next connection dies when it commits
//   proxy.strike({.kind = Fault::Kind::stall});   // all that are open now
//   proxy.heal();
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace millrace::test {

enum class Direction : std::uint8_t { to_server, to_client };

struct Fault {
  enum class Kind : std::uint8_t {
    cut,         // both sides see a reset
    close,       // both sides see an end, after what had passed
    half_close,  // the receiver of this direction sees an end; the other direction goes on
    stall,       // nothing passes in this direction, and nobody is told
    delay,       // every chunk is late by `pause`
    trickle,     // `piece` bytes at a time, `pause` apart
    garble,      // every byte from here on is another one
  };

  Kind kind = Kind::cut;
  Direction direction = Direction::to_client;  // whose bytes are counted, and hit
  std::uint64_t after = 0;                     // so many bytes of it pass unharmed first
  std::string at = {};  // instead: strikes once this text has passed (it passes)
  std::chrono::milliseconds pause{1};
  std::size_t piece = 1;
  std::uint32_t seed = 1;  // of what `garble` writes
};

struct Endpoint {
  std::string host;  // an address, or the directory of PostgreSQL's Unix socket
  std::uint16_t port = 0;
};

class FaultProxy {
public:
  explicit FaultProxy(Endpoint server);
  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;
  ~FaultProxy();

  /// On 127.0.0.1.
  std::uint16_t port() const noexcept { return port_; }

  /// For connections to come, one each, in order; none: it goes unharmed.
  void expect(std::optional<Fault> fault);

  /// What was expected and has not come yet goes unharmed.
  void forget();

  /// For the connections that are open, or for one of them (any number names one). Bytes count from
  /// now.
  void strike(const Fault& fault);
  void strike_one(const Fault& fault, std::uint64_t which);

  /// Stalls, delays and trickles end; what they held back passes.
  void heal();

  /// New connections are reset at once.
  void refuse(bool on);

  std::size_t open() const;
  std::uint64_t accepted() const;

  /// How often a fault has struck.
  std::uint64_t struck() const;

private:
  struct Connection;
  struct Pipe;
  using Clock = std::chrono::steady_clock;

  void run();
  void poll_once();
  void accept_one();
  void arm(Connection& connection, const Fault& fault);
  void read_from(Connection& connection, Pipe& pipe);
  void write_to(Connection& connection, Pipe& pipe);
  void take(Connection& connection, Pipe& pipe, std::string_view bytes);
  void strike_now(Connection& connection, Pipe& pipe, std::string_view rest);
  void reset(Connection& connection);
  void wake() const;
  int connect_server() const;

  const Endpoint server_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  int wake_ = -1;
  mutable std::mutex mutex_;
  std::list<std::unique_ptr<Connection>> connections_;
  std::deque<std::optional<Fault>> expected_;
  std::uint64_t accepted_ = 0;
  std::uint64_t struck_ = 0;
  bool refuse_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::test
