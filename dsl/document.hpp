// Document: all files of one load, read and merged, before anything in them is understood. Servers,
// operations, schemes and pipelines are shared by the files; a name that stands twice is a mistake.
#pragma once

#include "connectors/sdk/config_node.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "dsl/environment.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl {

/// A definition and the name under which it stands.
struct NamedNode {
  std::string name;
  sdk::Place place;  // of the name
  sdk::ConfigNode node;
};

struct Document {
  std::vector<NamedNode> servers;
  std::vector<NamedNode> schemes;  // of securitySchemes
  std::vector<NamedNode> operations;
  std::vector<NamedNode> profiles;
  std::vector<NamedNode> pipelines;
  std::vector<std::string>
    folders;  // of the files, each ending in '/' or empty; where secrets files are looked for
};

/// The keys of a pipeline, which stand below its name in `pipelines:`, or at the top level of a
/// file.
struct PipelineKeys {
  const sdk::ConfigNode* description = nullptr;
  const sdk::ConfigNode* steps = nullptr;
  const sdk::ConfigNode* on_error = nullptr;
  const sdk::ConfigNode* dead_letter = nullptr;
};

/// Reads them, or lists them.
void read_pipeline_keys(sdk::ConfigReader& in, PipelineKeys& keys);

/// Lists the keys of a file, those of a single pipeline too.
void describe_file_keys(sdk::ConfigReader& in);

/// Reads `files` (folders stand for the .yaml and .yml files in them), references resolved.
Document read_documents(const std::vector<std::string>& files, const Environment& environment,
                        sdk::Diagnostics& diagnostics);

/// The definition of that name, or null.
const NamedNode* find_named(const std::vector<NamedNode>& nodes, std::string_view name) noexcept;

/// The names, for hints.
std::vector<std::string_view> names_of(const std::vector<NamedNode>& nodes);

/// Whether `name` can name a step, pipeline or server: letters, digits, `_` and `-`.
bool is_name(std::string_view name) noexcept;

}  // namespace millrace::dsl
