// Any bytes as a pipeline file: it loads, or there is an error with its place; and what loads can
// be explained and drawn.
#include "connectors/sdk/connector.hpp"
#include "dsl/explain.hpp"
#include "dsl/graph.hpp"
#include "dsl/load.hpp"
#include "tests/support/fake_environment.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace millrace;

void require(bool holds) {
  if (!holds)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  test::FakeEnvironment world;
  world.values = {
    {"DB_URL", "postgresql://h/d"}, {"DB_USERNAME", "u"}, {"DB_PASSWORD", "p"}, {"SECRET", "s"}};
  world.files["a.yaml"].assign(reinterpret_cast<const char*>(data), size);
  world.files["schema.sql"] = "CREATE TABLE t (a INT);";
  const auto loaded = dsl::load(
    {.files = {"a.yaml"}, .connectors = sdk::built_in_connectors(), .environment = &world});
  require((loaded.program == nullptr) == loaded.diagnostics.has_errors());
  static_cast<void>(loaded.diagnostics.to_string());
  if (loaded.program) {
    static_cast<void>(dsl::explain(*loaded.program));
    static_cast<void>(dsl::to_mermaid(*loaded.program));
    static_cast<void>(dsl::to_dot(*loaded.program));
  }
  return 0;
}
