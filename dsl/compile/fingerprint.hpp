// Fingerprints: what tells whether a pipeline or server means the same in two readings of the
// files, however they are laid out. Only for comparing within one process; never shown.
#pragma once

#include "dsl/document.hpp"
#include "dsl/program.hpp"

#include <string>

namespace millrace::dsl {

/// Of what is written below `node`, references resolved, without places.
std::string fingerprint(const sdk::ConfigNode& node);

/// Puts them into `program`, whose servers and pipelines stand in `document`. That of a pipeline
/// takes in the servers, presets and schemes that it uses; where that cannot be told, all of them.
void add_fingerprints(const Document& document, Program& program);

}  // namespace millrace::dsl
