// Overrides: what changes the settings of servers without a change to the files.
#pragma once

#include "dsl/document.hpp"

#include <string>
#include <vector>

namespace millrace::dsl {

/// Lays the profiles below, and the secrets files, the variables MILLRACE_SERVERS__… and `sets`
/// over what the document says of its servers (`sets` also of its pipelines).
void apply_overrides(Document& document, const std::string& profile,
                     const std::vector<std::string>& sets, const Environment& environment,
                     sdk::Diagnostics& diagnostics);

}  // namespace millrace::dsl
