#include "dsl/document.hpp"

#include "dsl/references.hpp"
#include "dsl/yaml_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::ConfigReader;
using sdk::Diagnostics;
using sdk::Place;

constexpr std::string_view supported_version = "1";

struct FileKeys {
  const ConfigNode* version = nullptr;
  const ConfigNode* servers = nullptr;
  const ConfigNode* schemes = nullptr;
  const ConfigNode* operations = nullptr;
  const ConfigNode* profiles = nullptr;
  const ConfigNode* pipelines = nullptr;
  const ConfigNode* name = nullptr;
  PipelineKeys pipeline;
};

void read_info(ConfigReader& in) {
  std::string text;
  in.optional("title", text, "What the file is about");
  in.optional("version", text, "Version of the file");
  in.optional("description", text, "Longer text");
}

void read_file_keys(ConfigReader& in, FileKeys& keys) {
  keys.version = in.raw("millrace", "text", "Version of the DSL: \"1\"");
  in.section("info", "About the file; for people", read_info);
  keys.servers = in.raw("servers", "mapping of servers", "Databases and brokers by name");
  keys.schemes = in.raw("securitySchemes", "mapping of security schemes",
                        "Credentials that servers name");
  keys.operations = in.raw("operations", "mapping of presets",
                           "Defaults for the steps whose `operation` names one");
  keys.profiles = in.raw("profiles", "mapping of profiles",
                         "Servers and their settings by profile; the files win over them");
  keys.pipelines = in.raw("pipelines", "mapping of pipelines", "Several pipelines by name");
  keys.name = in.raw("name", "text",
                     "Of the single pipeline; default: the name of the file without its ending");
  read_pipeline_keys(in, keys.pipeline);
}

std::string stem(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  const auto dot = path.rfind('.');
  return std::string{dot == 0 ? path : path.substr(0, dot)};
}

bool has_yaml_ending(std::string_view path) {
  const auto file = path.substr(path.rfind('/') + 1);
  return !file.starts_with('.') && (file.ends_with(".yaml") || file.ends_with(".yml"));
}

class Merger {
public:
  Merger(const Environment& environment, Diagnostics& diagnostics)
    : environment_{environment}, diagnostics_{diagnostics} {}

  void add_path(const std::string& path) {
    if (environment_.kind_of(path) != PathKind::directory) {
      add_file(path);
      return;
    }
    auto paths = environment_.list_directory(path);
    if (!paths) {
      diagnostics_.error(whole(path), paths.error().message(), paths.error().hint());
      return;
    }
    std::erase_if(*paths, [](const std::string& one) { return !has_yaml_ending(one); });
    if (paths->empty())
      diagnostics_.error(whole(path), "the folder holds no .yaml file");
    for (const auto& one : *paths)
      add_file(one);
  }

  Document take() { return std::move(document_); }

private:
  static Place whole(const std::string& path) {
    return {std::make_shared<const std::string>(path), 0, 0};
  }

  void add_file(const std::string& path) {
    auto place = whole(path);
    auto text = environment_.read_file(path, max_file_bytes);
    if (!text) {
      diagnostics_.error(place, text.error().message(), text.error().hint());
      return;
    }
    auto root = read_yaml(*text, place.file, diagnostics_);
    if (!root)
      return;
    if (root->is_null()) {
      diagnostics_.error(place, "the file is empty");
      return;
    }
    if (!root->is_mapping()) {
      diagnostics_.error(root->place, "a file must be a mapping with `steps:` or `pipelines:`, not "
                                        + root->describe());
      return;
    }
    resolve_references(*root, environment_, diagnostics_);
    std::erase_if(root->entries,
                  [](const ConfigNode::Entry& entry) { return entry.key.starts_with("x-"); });
    take_root(*root, path);
  }

  void take_root(const ConfigNode& root, const std::string& path) {
    FileKeys keys;
    ConfigReader in{root, "a pipeline file", diagnostics_};
    read_file_keys(in, keys);
    in.finish();
    if (keys.version && (!keys.version->is_scalar() || keys.version->text != supported_version))
      diagnostics_.error(keys.version->place, "this build reads version \"1\" of the DSL, not "
                                                + keys.version->describe());
    take_servers(keys.servers);
    take(keys.schemes, "securitySchemes", "scheme", document_.schemes);
    take(keys.operations, "operations", "operation", document_.operations);
    take_profiles(keys.profiles);
    take(keys.pipelines, "pipelines", "pipeline", document_.pipelines);
    take_single(root, keys, path);
    const auto folder = path.substr(0, path.rfind('/') + 1);
    if (std::ranges::find(document_.folders, folder) == document_.folders.end())
      document_.folders.push_back(folder);
  }

  void take(const ConfigNode* mapping, std::string_view key, std::string_view what,
            std::vector<NamedNode>& into) {
    if (!mapping || mapping->is_null())
      return;
    if (!mapping->is_mapping()) {
      diagnostics_.error(mapping->place, "'" + std::string{key}
                                           + "' must be a mapping of names, not "
                                           + mapping->describe());
      return;
    }
    for (const auto& entry : mapping->entries)
      add({entry.key, entry.key_place, entry.value}, what, into);
  }

  // A `securitySchemes` below `servers` without an address of its own is the list of schemes.
  void take_servers(const ConfigNode* servers) {
    if (!servers || !servers->is_mapping()) {
      take(servers, "servers", "server", document_.servers);
      return;
    }
    auto mapping = *servers;
    std::erase_if(mapping.entries, [&](const ConfigNode::Entry& entry) {
      const bool schemes = entry.key == "securitySchemes" && entry.value.is_mapping()
                           && !entry.value.find("url") && !entry.value.find("protocol");
      if (schemes)
        take(&entry.value, "securitySchemes", "scheme", document_.schemes);
      return schemes;
    });
    take(&mapping, "servers", "server", document_.servers);
  }

  // Profiles of one name in several files are one profile.
  void take_profiles(const ConfigNode* profiles) {
    if (!profiles || profiles->is_null())
      return;
    if (!profiles->is_mapping()) {
      diagnostics_.error(profiles->place,
                         "'profiles' must be a mapping of names, not " + profiles->describe());
      return;
    }
    for (const auto& entry : profiles->entries)
      document_.profiles.push_back({entry.key, entry.key_place, entry.value});
  }

  void take_single(const ConfigNode& root, const FileKeys& keys, const std::string& path) {
    const auto& pipeline = keys.pipeline;
    if (!pipeline.steps && !keys.name && !pipeline.dead_letter && !pipeline.on_error)
      return;
    NamedNode single{stem(path), root.place, {}};
    if (keys.name) {
      single.place = keys.name->place;
      if (keys.name->secret)
        diagnostics_.error(keys.name->place, keys.name->describe() + " cannot name a pipeline",
                           "a name is printed: write it here");
      else if (keys.name->is_scalar())
        single.name = keys.name->text;
      else
        diagnostics_.error(keys.name->place, "'name' must be text, not " + keys.name->describe());
    }
    single.node.kind = ConfigNode::Kind::mapping;
    single.node.place = root.place;
    for (const auto& entry : root.entries) {
      for (const auto key : {"description", "steps", "onError", "deadLetter"}) {
        if (entry.key == key)
          single.node.entries.push_back(entry);
      }
    }
    add(std::move(single), "pipeline", document_.pipelines);
  }

  void add(NamedNode node, std::string_view what, std::vector<NamedNode>& into) {
    if (const auto* first = find_named(into, node.name)) {
      diagnostics_.error(node.place,
                         "the " + std::string{what} + " '" + node.name + "' is defined twice",
                         "rename one of them");
      diagnostics_.note(first->place, "here is the first '" + node.name + "'");
      return;
    }
    if (what != "scheme" && what != "operation" && !is_name(node.name))
      diagnostics_.error(node.place, "'" + node.name + "' cannot name a " + std::string{what},
                         "use letters, digits, '_' and '-'");
    into.push_back(std::move(node));
  }

  const Environment& environment_;
  Diagnostics& diagnostics_;
  Document document_;
};

}  // namespace

void read_pipeline_keys(ConfigReader& in, PipelineKeys& keys) {
  keys.description = in.raw("description", "text", "What the pipeline is for; for people");
  keys.steps = in.raw("steps", "list of steps", "The source, then the steps that its records take");
  keys.on_error = in.raw("onError", "error rules",
                         "What becomes of records that fail, where the step says nothing");
  keys.dead_letter = in.raw("deadLetter", "step",
                            "A sink for the records that `then: deadLetter` gives up");
}

void describe_file_keys(ConfigReader& in) {
  FileKeys keys;
  read_file_keys(in, keys);
}

Document read_documents(const std::vector<std::string>& files, const Environment& environment,
                        Diagnostics& diagnostics) {
  Merger merger{environment, diagnostics};
  for (const auto& path : files)
    merger.add_path(path);
  return merger.take();
}

const NamedNode* find_named(const std::vector<NamedNode>& nodes, std::string_view name) noexcept {
  const auto found = std::ranges::find(nodes, name, &NamedNode::name);
  return found == nodes.end() ? nullptr : &*found;
}

std::vector<std::string_view> names_of(const std::vector<NamedNode>& nodes) {
  std::vector<std::string_view> names;
  names.reserve(nodes.size());
  for (const auto& node : nodes)
    names.push_back(node.name);
  return names;
}

bool is_name(std::string_view name) noexcept {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'
           || c == '-';
  });
}

}  // namespace millrace::dsl
