#include "connectors/asio/resolver.hpp"

#include "connectors/sdk/worker.hpp"

#include <array>
#include <netdb.h>
#include <sys/socket.h>
#include <utility>

namespace millrace::asio {

namespace {

ResolvedName look_up(const std::string& name) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int failure = ::getaddrinfo(name.c_str(), nullptr, &wanted, &raw);
  if (failure != 0)
    return sdk::Error{sdk::ErrorKind::connection, ::gai_strerror(failure)};
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found{raw, &::freeaddrinfo};
  std::vector<std::string> addresses;
  for (const auto* entry = found.get(); entry != nullptr; entry = entry->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                      NI_NUMERICHOST)
        == 0)
      addresses.emplace_back(text.data());
  }
  return addresses;
}

}  // namespace

Resolver& Resolver::shared() {
  // Never destroyed: a look-up may outlive main.
  static auto* const resolver = new Resolver{look_up};
  return *resolver;
}

void Resolver::resolve(const std::string& name, std::shared_ptr<sdk::LoopGate> gate, Done done) {
  {
    const std::lock_guard lock{mutex_};
    auto& waiters = waiting_[name];
    waiters.push_back({std::move(gate), std::move(done)});
    if (waiters.size() > 1)
      return;
  }
  sdk::start_thread("resolve", [this, name] { run(name); }).detach();
}

void Resolver::run(const std::string& name) {
  auto found = look_up_(name);
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock{mutex_};
    waiters = std::move(waiting_.extract(name).mapped());
  }
  for (auto& waiter : waiters)
    waiter.gate->post([done = std::move(waiter.done), found] { done(found); });
}

}  // namespace millrace::asio
