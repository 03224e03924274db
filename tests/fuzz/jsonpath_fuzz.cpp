// Any text as a JSONPath and as an I-Regexp. What parses must run, and the normalized path of each
// node must be a path of the RFC that selects that very node.
#include "connectors/sdk/json.hpp"
#include "dsl/expression/iregexp.hpp"
#include "dsl/expression/jsonpath.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace millrace;

void require(bool holds) {
  if (!holds)
    std::abort();
}

const sdk::Value& document() {
  static const auto value = *sdk::parse_json(
    R"({"a": [3, 5.5, {"b": "k"}, null, [1, [2, [true]]]], "o": {"p": 1, "q-r": "x'y\n"},
      "'": {"@": [[], {}]}, "s": "2024-05-31"})");
  return value;
}

void check_path(std::string_view text) {
  const auto path = dsl::JsonPath::parse(text);
  if (!path) {
    require(!path.error().message().empty());
    require(!dsl::JsonPath::parse(text, {.strict = true}));
    return;
  }
  std::vector<const sdk::Value*> nodes;
  if (!path->select(document(), nodes))
    return;
  if (nodes.size() > 1000)
    return;
  const auto places = path->select_paths(document());
  require(places && places->size() == nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto place = dsl::JsonPath::parse((*places)[i], {.strict = true});
    require(place && place->is_singular());
    std::vector<const sdk::Value*> again;
    require(place->select(document(), again).has_value() && again.size() == 1
            && again[0] == nodes[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  check_path(text);
  if (const auto regex = dsl::IRegexp::compile(text)) {
    // A match of the whole is a match of a part.
    for (const std::string_view subject : {"", "a", "2024-05-31", "☺\n"})
      require(!regex->matches(subject) || regex->found_in(subject));
  }
  return 0;
}
