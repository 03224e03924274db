// Any text as a DSN. A planted password must not come out of `mask_dsn` or of an error, and what is
// accepted must read the same again from its own URI.
#include "connectors/sdk/dsn.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::sdk;  // NOLINT(google-build-using-namespace)
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto masked = mask_dsn(text);
  const auto dsn = parse_dsn(text);
  if (!dsn)
    return 0;
  if (dsn->password && dsn->password->size() > 8
      && text.find(*dsn->password) == text.rfind(*dsn->password))
    require(masked.find(*dsn->password) == std::string::npos);
  const auto again = parse_dsn(to_uri(*dsn));
  require(again && dsn_parameters(*again) == dsn_parameters(*dsn));
  return 0;
}
