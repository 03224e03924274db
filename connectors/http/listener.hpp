// Listener: accepts connections at one address and spreads them over the loops of the reactor.
#pragma once

#include "connectors/sdk/log.hpp"
#include "connectors/sdk/reactor.hpp"
#include "connectors/sdk/result.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace millrace::http {

class TlsContext;
class Traffic;

class Listener {
public:
  /// @param host an address or a name of this machine. @param port 0: any. @param tls null: plain.
  static sdk::Result<std::unique_ptr<Listener>> open(std::shared_ptr<Traffic> traffic,
                                                     const std::string& host, std::uint16_t port,
                                                     std::shared_ptr<TlsContext> tls,
                                                     sdk::Reactor& reactor, sdk::Log& log);

  /// Stops accepting; connections live on until they have answered, unless `drain` was called.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const noexcept;

  /// For connections from now on; null: plain.
  void set_tls(std::shared_ptr<TlsContext> tls);

  /// Stops accepting. Connections without a request end now, others after their answer.
  void drain();

private:
  class State;

  explicit Listener(std::shared_ptr<State> state) : state_{std::move(state)} {}

  std::shared_ptr<State> state_;
};

}  // namespace millrace::http
