// load: files that users wrote, to the Program that the engine runs. Finds every mistake in one
// pass.
//
//   auto loaded = load({.files = {"orders.yaml"}, .connectors = sdk::built_in_connectors(),
//   .environment = &world}); std::cerr << loaded.diagnostics.to_string(); if (!loaded.program)
//   return ExitCode::configuration;
#pragma once

#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/environment.hpp"
#include "dsl/program.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace millrace::dsl {

struct LoadOptions {
  std::vector<std::string> files;  // or folders, of which the .yaml and .yml files are taken
  std::vector<std::string> sets;   // "servers.db.pool.max_size=5"; a list's item by its `name`
  std::string profile;             // on top of the profile `default`; empty: none
  std::span<const sdk::Connector* const> connectors;  // what this build has
  const Environment* environment = nullptr;           // must not be null
};

struct LoadResult {
  sdk::Diagnostics diagnostics;            // sorted by place; warnings too
  std::shared_ptr<const Program> program;  // null after an error
};

/// What a server says comes, later wins, from: the profile `default`, the chosen profile, the
/// files, `.secrets.yaml` beside them (refused where others may read it), the variables
/// MILLRACE_SERVERS__NAME__KEY, and `sets`.
LoadResult load(const LoadOptions& options);

}  // namespace millrace::dsl
