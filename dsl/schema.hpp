// The options of every step type and server, from the same tables that parse them: as a JSON Schema
// for editors, and as Markdown for the reference and `millrace list options`.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/value.hpp"

#include <span>
#include <string>
#include <string_view>

namespace millrace::dsl {

/// Draft 7, which editors know best, for a whole file.
sdk::Value json_schema(std::span<const sdk::Connector* const> connectors);

/// One section with a table per step type and operation; `type` alone where it is given, empty
/// where there is none of that name.
std::string option_reference(std::span<const sdk::Connector* const> connectors,
                             std::string_view type = {});

}  // namespace millrace::dsl
