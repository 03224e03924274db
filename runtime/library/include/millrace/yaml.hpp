// The database servers of the engine's YAML files, for programs without the engine
// (Millrace::yaml).
//
//   auto servers = load_yaml({.files = {"servers.yaml"}, .profile = "production"});
//   PostgresSyncConnector primary{servers->at("primary")};
#pragma once

#include "millrace/postgres.hpp"

#include <map>
#include <string>
#include <vector>

namespace millrace {

struct YamlSources {
  std::vector<std::string> files{};  // or folders; .secrets.yaml beside them is read too
  std::string profile{};             // on top of the profile `default`
  std::vector<std::string> sets{};   // "servers.primary.pool.max_size=5"
};

/// All servers, by name; later wins: profile `default`, the chosen profile, the files, the files of
/// secrets, MILLRACE_SERVERS__NAME__…, `sets`. `${ENV:…}` and `${FILE:…}` are resolved.
/// @returns kind `config` with every mistake and its place.
Result<std::map<std::string, postgres::Settings>> load_yaml(const YamlSources& sources);

}  // namespace millrace
