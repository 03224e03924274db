// Resolver: names of hosts to addresses, on threads of its own: getaddrinfo blocks for as long as a
// name server pleases, and nothing can call it off. A name that hangs holds up nobody who asks for
// another one, and nobody who ends.
//
//   auto gate = std::make_shared<sdk::LoopGate>(loop);
//   Resolver::shared().resolve("db.example.com", gate, [](ResolvedName found) { … });   // on the
//   loop
//   gate->shut();   // from any thread: nothing is called any more, the loop may go
#pragma once

#include "connectors/sdk/loop_gate.hpp"
#include "connectors/sdk/result.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace::asio {

/// Addresses as text, or why there are none.
using ResolvedName = sdk::Result<std::vector<std::string>>;

class Resolver {
public:
  using LookUp = std::function<ResolvedName(const std::string& name)>;  // blocks
  using Done = std::function<void(ResolvedName)>;

  /// The one of this process, by getaddrinfo.
  static Resolver& shared();

  explicit Resolver(LookUp look_up) : look_up_{std::move(look_up)} {}

  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// Those who ask for a name while it is looked up share the answer. The resolver outlives the
  /// look-up.
  void resolve(const std::string& name, std::shared_ptr<sdk::LoopGate> gate, Done done);

private:
  struct Waiter {
    std::shared_ptr<sdk::LoopGate> gate;
    Done done;
  };

  void run(const std::string& name);

  const LookUp look_up_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> waiting_;
};

}  // namespace millrace::asio
