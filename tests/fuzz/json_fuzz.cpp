// Any bytes as JSON: never a crash, the reader and its diagnosis agree, what was read is written so
// that it reads back equal; and any bytes as a string are written as JSON.
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/json_diagnosis.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::sdk;
  static JsonReader reader;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto value = reader.parse(text);
  require(value.has_value() == !diagnose_json(text).has_value());
  if (value) {
    const auto written = to_json(*value);
    const auto again = reader.parse(written);
    require(again && *again == *value && to_json(*again) == written);
    const auto pretty = reader.parse(to_pretty_json(*value));
    require(pretty && *pretty == *value);
  }
  require(reader.parse(to_json(Value{text})).has_value());
  return 0;
}
