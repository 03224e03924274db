// YAML text to ConfigNodes with their places. The only code that knows yaml-cpp.
//
//   if (auto root = read_yaml(text, "orders.yaml", diagnostics)) …
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/diagnostic.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::dsl {

inline constexpr std::size_t max_file_bytes = 1024 * 1024;
inline constexpr std::size_t max_yaml_depth = 64;
inline constexpr std::size_t max_yaml_nodes = 100'000;  // aliases count what they stand for

/// Reads one document. Anchors, aliases and merge keys (`<<`) are followed; tags other than `!!str`
/// are refused.
/// `${…}` is left as it stands. @returns nothing where the text cannot be understood; of a key that
/// stands twice the first counts, so that the other mistakes of the file are found too.
std::optional<sdk::ConfigNode> read_yaml(std::string_view text,
                                         std::shared_ptr<const std::string> file,
                                         sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
