#include "tests/support/pgbouncer.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <unistd.h>

namespace millrace::test {

PgBouncer::PgBouncer(const PostgresServer& server, const std::string& search_path,
                     const std::string& folder, const std::string& user,
                     const std::optional<Endpoint>& through)
  : folder_{folder} {
  const std::string program = "/usr/sbin/pgbouncer";
  if (!std::filesystem::exists(program)) {
    why_not_ = "PgBouncer is not installed (apt install pgbouncer)";
    std::cerr << "\n*** SKIPPING every PgBouncer test: " << why_not_ << "\n\n";
    return;
  }
  std::filesystem::create_directory(folder_);
  port_ = free_port();
  const auto settings = folder_ + "/pgbouncer.ini";
  const auto at = through.value_or(Endpoint{server.host(), server.port()});
  std::ofstream{settings} << "[databases]\n* = host=" << at.host << " port=" << at.port
                          << " user=" << (user.empty() ? server.user() : user)
                          << " connect_query='SET search_path = " << search_path
                          << "'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
                          << "\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
                             "default_pool_size = 3\nmax_client_conn = 200\n";
  Launch launch{.arguments = {program, settings}};
  if (geteuid() == 0)  // which it refuses to run as
    launch.arguments = {"/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup",
                        "--clear-groups",   program,          settings};
  process_ = std::make_unique<Process>(launch);
  if (!process_->wait_for("process up")) {
    why_not_ = "PgBouncer did not start: " + process_->err();
    process_.reset();
  }
}

PgBouncer::~PgBouncer() {
  if (process_) {
    process_->signal(SIGTERM);
    process_->wait();
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace millrace::test
