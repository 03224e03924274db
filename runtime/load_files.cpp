#include "runtime/load_files.hpp"

#include "connectors/sdk/connector.hpp"
#include "dsl/load.hpp"
#include "runtime/environment.hpp"

namespace millrace::runtime {

std::shared_ptr<const dsl::Program> load_files(const FileOptions& options, Console& console) {
  ProcessEnvironment environment;
  for (const auto& file : options.env_files) {
    if (const auto added = environment.add_file(file); !added) {
      console.complain(added.error());
      return nullptr;
    }
  }
  auto loaded = dsl::load({.files = options.files,
                           .sets = options.sets,
                           .profile = options.profile,
                           .connectors = sdk::built_in_connectors(),
                           .environment = &environment});
  console.report(loaded.diagnostics);
  return std::move(loaded.program);
}

}  // namespace millrace::runtime
