#include "tests/support/postgres.hpp"

#include "connectors/sdk/dsn.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <netinet/in.h>
#include <optional>
#include <pwd.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace millrace::test {

namespace {

std::string& reason() {
  static std::string text;
  return text;
}

// The folder of initdb and pg_ctl: the newest version that is installed.
std::optional<std::string> find_binaries() {
  if (const char* folder = std::getenv("PGBIN"))
    return folder;
  std::optional<std::string> newest;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator{"/usr/lib/postgresql", missing}) {
    const auto folder = entry.path() / "bin";
    if (std::filesystem::exists(folder / "initdb") && (!newest || folder.string() > *newest))
      newest = folder.string();
  }
  return newest;
}

// The server refuses to run as root.
std::string as_server_user(const std::string& command) {
  if (geteuid() != 0)
    return command;
  return "runuser -u nobody -- " + command;
}

bool give_to_server_user(const std::string& folder) {
  if (geteuid() != 0)
    return true;
  const auto* nobody = getpwnam("nobody");
  return nobody != nullptr && chown(folder.c_str(), nobody->pw_uid, nobody->pw_gid) == 0;
}

bool run(const std::string& command, const std::string& log) {
  return std::system((command + " >>'" + log + "' 2>&1 </dev/null").c_str()) == 0;
}

std::string last_lines(const std::string& file) {
  std::ifstream in{file};
  std::stringstream text;
  text << in.rdbuf();
  const auto whole = text.str();
  return whole.size() > 600 ? whole.substr(whole.size() - 600) : whole;
}

}  // namespace

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  std::uint16_t port = 0;
  if (bind(socket, raw, size) == 0 && getsockname(socket, raw, &size) == 0)
    port = ntohs(address.sin_port);
  ::close(socket);
  return port;
}

PostgresServer* PostgresServer::shared() {
  static const std::unique_ptr<PostgresServer> server = [] {
    std::unique_ptr<PostgresServer> started{new PostgresServer{}};
    if (const char* given = std::getenv("MILLRACE_TEST_POSTGRES")) {
      started->take_address(given);
      return started;
    }
    started->folder_ = "/tmp/millrace-pg-" + std::to_string(getpid());
    reason() = started->prepare();
    if (!reason().empty()) {
      std::cerr << "\n*** SKIPPING every PostgreSQL test: " << reason() << "\n\n";
      started.reset();
    }
    return started;
  }();
  return server.get();
}

void PostgresServer::take_address(const std::string& url) {
  const auto dsn = sdk::parse_dsn(url);
  if (!dsn || dsn->hosts.empty()) {
    std::cerr << "MILLRACE_TEST_POSTGRES is no address of a server\n";
    std::abort();
  }
  host_ = dsn->hosts.front().host;
  port_ = static_cast<std::uint16_t>(std::stoi("0" + dsn->hosts.front().port));
  user_ = dsn->user.empty() ? user_ : dsn->user;
  dbname_ = dsn->dbname.empty() ? dbname_ : dsn->dbname;
}

const std::string& PostgresServer::why_not() {
  return reason();
}

PostgresServer::PostgresServer(std::string folder) : folder_{std::move(folder)} {
  if (const auto trouble = prepare(); !trouble.empty())
    std::cerr << "no PostgreSQL server: " << trouble << "\n";
}

PostgresServer::~PostgresServer() {
  if (folder_.empty())
    return;
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

// @returns why there is no server; empty: it runs.
std::string PostgresServer::prepare() {
  const auto binaries = find_binaries();
  if (!binaries)
    return "PostgreSQL's server is not installed (apt install postgresql)";
  std::filesystem::create_directory(folder_);
  if (!give_to_server_user(folder_))
    return "there is no user 'nobody' to run the server as";
  const auto log = folder_ + "/initdb.log";
  const auto data = folder_ + "/data";
  if (!run(as_server_user(*binaries + "/initdb -D " + data
                          + " -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8"),
           log))
    return "initdb failed: " + last_lines(log);
  host_ = folder_;
  port_ = free_port();
  std::ofstream config{data + "/postgresql.conf", std::ios::app};
  config << "fsync=off\nfull_page_writes=off\nlisten_addresses='127.0.0.1'"
            "\nport="
         << port_ << "\nunix_socket_directories='" << folder_
         << "'\nmax_connections=100\nshared_buffers=64MB\n";
  config.close();
  return start() ? std::string{} : "pg_ctl start failed: " + last_lines(folder_ + "/server.log");
}

bool PostgresServer::start() {
  running_ = run(as_server_user(*find_binaries() + "/pg_ctl -D " + folder_ + "/data -w -t 30 -l "
                                + folder_ + "/server.log start"),
                 folder_ + "/pg_ctl.log");
  return running_;
}

bool PostgresServer::stop() {
  if (!running_)
    return false;
  running_ = false;
  return run(
    as_server_user(*find_binaries() + "/pg_ctl -D " + folder_ + "/data -m immediate -w stop"),
    folder_ + "/pg_ctl.log");
}

std::unique_ptr<PostgresServer> PostgresServer::standby_of(const PostgresServer& primary,
                                                           const std::string& folder) {
  std::unique_ptr<PostgresServer> standby{new PostgresServer{}};
  standby->folder_ = folder;
  standby->host_ = folder;
  standby->port_ = free_port();
  const auto binaries = find_binaries();
  std::filesystem::create_directory(folder);
  if (!binaries || !give_to_server_user(folder))
    return nullptr;
  const bool copied = run(as_server_user(*binaries + "/pg_basebackup -R -X stream -c fast -N -D "
                                         + folder + "/data -h " + primary.host() + " -p "
                                         + std::to_string(primary.port()) + " -U postgres"),
                          folder + "/pg_ctl.log");
  standby->configure("port=" + std::to_string(standby->port_) + "\nunix_socket_directories='"
                     + folder + "'\n");
  if (copied && standby->start())
    return standby;
  std::cerr << "no standby: " << last_lines(folder + "/pg_ctl.log") << "\n"
            << last_lines(folder + "/server.log") << "\n";
  return nullptr;
}

bool PostgresServer::promote() {
  return run(as_server_user(*find_binaries() + "/pg_ctl -D " + folder_ + "/data -w promote"),
             folder_ + "/pg_ctl.log");
}

void PostgresServer::configure(std::string_view lines) {
  std::ofstream{folder_ + "/data/postgresql.conf", std::ios::app} << lines;
}

void PostgresServer::admit(std::string_view lines) {
  const auto file = folder_ + "/data/pg_hba.conf";
  std::stringstream rest;
  rest << std::ifstream{file}.rdbuf();
  std::ofstream{file} << lines << rest.str();
}

bool PostgresServer::reload() {
  return run(as_server_user(*find_binaries() + "/pg_ctl -D " + folder_ + "/data reload"),
             folder_ + "/pg_ctl.log");
}

bool PostgresServer::run_in_folder(const std::string& command) {
  return run(as_server_user("sh -c 'cd " + folder_ + " && " + command + "'"),
             folder_ + "/commands.log");
}

}  // namespace millrace::test
