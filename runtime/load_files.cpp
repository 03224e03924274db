#include "runtime/load_files.hpp"

#include "connectors/sdk/connector.hpp"
#include "runtime/environment.hpp"

namespace millrace::runtime {

namespace {

sdk::Status add_env_files(const FileOptions& options, ProcessEnvironment& environment) {
  for (const auto& file : options.env_files) {
    if (auto added = environment.add_file(file); !added)
      return added;
  }
  return {};
}

dsl::LoadResult load(const FileOptions& options, const ProcessEnvironment& environment) {
  return dsl::load({.files = options.files,
                    .sets = options.sets,
                    .profile = options.profile,
                    .connectors = sdk::built_in_connectors(),
                    .environment = &environment});
}

}  // namespace

dsl::LoadResult read_files(const FileOptions& options) {
  ProcessEnvironment environment;
  if (const auto added = add_env_files(options, environment); !added) {
    dsl::LoadResult failed;
    failed.diagnostics.error({}, added.error().message(), added.error().hint());
    return failed;
  }
  return load(options, environment);
}

std::shared_ptr<const dsl::Program> load_files(const FileOptions& options, Console& console) {
  ProcessEnvironment environment;
  if (const auto added = add_env_files(options, environment); !added) {
    console.complain(added.error());
    return nullptr;
  }
  auto loaded = load(options, environment);
  console.report(loaded.diagnostics);
  return std::move(loaded.program);
}

}  // namespace millrace::runtime
