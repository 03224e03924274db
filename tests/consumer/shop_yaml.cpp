// The servers of the engine's files: argv[1] is servers.yaml. Examples of docs/library.md.
#include <cstdlib>
#include <iostream>
#include <millrace/yaml.hpp>

using namespace millrace;

int main(int argc, char** argv) {
  if (argc != 2)
    return EXIT_FAILURE;
  const auto servers = load_yaml({.files = {argv[1]}, .profile = "production"});
  if (!servers) {
    std::cerr << servers.error().message() << '\n';  // every mistake, with file, line and column
    return EXIT_FAILURE;
  }
  PostgresSyncConnector primary{servers->at("primary")};
  PostgresSyncConnector replica{servers->at("replica")};

  const auto& settings = *servers->at("primary");
  const bool good = servers->size() == 2 && settings.pool.max_size == 8
                    && settings.hosts.front().host == "db1" && settings.user == "ada"
                    && servers->at("replica")->target_session_attrs == "standby";
  std::cout << (good ? "ok\n" : "FAILED\n");
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
