// PgBouncer: a real one in transaction mode before a server, for as long as it lives.
//
//   PgBouncer bouncer{*server, "-c search_path=mine"};
//   if (!bouncer.running()) GTEST_SKIP() << bouncer.why_not();
//   settings.hosts = {{"127.0.0.1", bouncer.port()}};
#pragma once

#include "tests/support/fault_proxy.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace millrace::test {

class PgBouncer {
public:
  /// @param search_path of the sessions at the server.
  /// @param through where it reaches the server; none: at the server's own address.
  PgBouncer(const PostgresServer& server, const std::string& search_path, const std::string& folder,
            const std::string& user = {}, const std::optional<Endpoint>& through = {});
  PgBouncer(const PgBouncer&) = delete;
  PgBouncer& operator=(const PgBouncer&) = delete;
  ~PgBouncer();

  bool running() const noexcept { return process_ != nullptr; }

  const std::string& why_not() const noexcept { return why_not_; }

  std::uint16_t port() const noexcept { return port_; }

private:
  std::string folder_;
  std::string why_not_;
  std::uint16_t port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace millrace::test
