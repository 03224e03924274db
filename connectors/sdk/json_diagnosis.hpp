// Why a text is no JSON document: the slow second look that the reader takes at a refused text.
// Internal to the SDK.
#pragma once

#include "connectors/sdk/error.hpp"

#include <optional>
#include <string_view>

namespace millrace::sdk {

/// @returns kind `data`: "bad JSON at line 1, column 7 (offset 6): a comma or '}' is missing";
/// nothing where the text is a document. Columns count bytes. The text itself is not quoted: it may
/// hold secrets.
std::optional<Error> diagnose_json(std::string_view text);

}  // namespace millrace::sdk
