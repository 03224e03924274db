#include "dsl/overrides.hpp"

#include "connectors/sdk/ascii.hpp"
#include "dsl/references.hpp"
#include "dsl/yaml_reader.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::Diagnostics;
using sdk::Place;

constexpr std::string_view secrets_name = ".secrets.yaml";
constexpr std::string_view variable_prefix = "MILLRACE_SERVERS__";

NamedNode* find_named(std::vector<NamedNode>& nodes, std::string_view name) {
  const auto found = std::ranges::find(nodes, name, &NamedNode::name);
  return found == nodes.end() ? nullptr : &*found;
}

void add_or_merge(std::vector<NamedNode>& nodes, const ConfigNode::Entry& entry) {
  if (auto* node = find_named(nodes, entry.key))
    sdk::merge_over(node->node, entry.value);
  else
    nodes.push_back({entry.key, entry.key_place, entry.value});
}

// `servers:` and `securitySchemes:` of a profile or a secrets file.
struct Layer {
  std::vector<NamedNode> servers;
  std::vector<NamedNode> schemes;
};

void read_layer(const ConfigNode& node, const std::string& owner, Layer& layer,
                Diagnostics& diagnostics) {
  sdk::ConfigReader in{node, owner, diagnostics};
  const auto* servers = in.raw("servers", "mapping of servers", "");
  const auto* schemes = in.raw("securitySchemes", "mapping of security schemes", "");
  in.finish();
  for (const auto& [mapping, into] :
       {std::pair{servers, &layer.servers}, std::pair{schemes, &layer.schemes}}) {
    if (!mapping || mapping->is_null())
      continue;
    if (!mapping->is_mapping())
      diagnostics.error(mapping->place,
                        "this must be a mapping of names, not " + mapping->describe());
    for (const auto& entry : mapping->entries)
      add_or_merge(*into, entry);
  }
}

void lay_over(std::vector<NamedNode>& base, const std::vector<NamedNode>& over) {
  for (const auto& node : over)
    add_or_merge(base, {node.name, node.place, node.node});
}

void apply_profiles(Document& document, const std::string& chosen, Diagnostics& diagnostics) {
  Layer layer;
  std::vector<std::string> names{"default"};
  if (!chosen.empty() && chosen != "default")
    names.push_back(chosen);
  for (const auto& name : names) {
    for (const auto& profile : document.profiles) {
      if (profile.name == name)
        read_layer(profile.node, "the profile '" + name + "'", layer, diagnostics);
    }
  }
  if (!chosen.empty() && chosen != "default" && !dsl::find_named(document.profiles, chosen))
    diagnostics.error({std::make_shared<const std::string>("--profile " + chosen), 0, 0},
                      "no file defines the profile '" + chosen + "'",
                      sdk::did_you_mean(chosen, names_of(document.profiles)));
  lay_over(layer.servers, document.servers);
  lay_over(layer.schemes, document.schemes);
  document.servers = std::move(layer.servers);
  document.schemes = std::move(layer.schemes);
}

void make_secret(ConfigNode& node) {
  node.secret = true;
  for (auto& item : node.items)
    make_secret(item);
  for (auto& entry : node.entries)
    make_secret(entry.value);
}

void apply_secrets(Document& document, const Environment& environment, Diagnostics& diagnostics) {
  for (const auto& folder : document.folders) {
    const auto path = folder + std::string{secrets_name};
    if (environment.kind_of(path) != PathKind::file)
      continue;
    const Place place{std::make_shared<const std::string>(path), 0, 0};
    if (environment.others_may_read(path)) {
      diagnostics.error(place, "other users may read this file of secrets", "chmod 600 " + path);
      continue;
    }
    auto text = environment.read_file(path, max_file_bytes);
    if (!text) {
      diagnostics.error(place, text.error().message(), text.error().hint());
      continue;
    }
    auto root = read_yaml(*text, place.file, diagnostics);
    if (!root || root->is_null())
      continue;
    resolve_references(*root, environment, diagnostics);
    make_secret(*root);
    Layer layer;
    read_layer(*root, "a file of secrets", layer, diagnostics);
    lay_over(document.servers, layer.servers);
    lay_over(document.schemes, layer.schemes);
  }
}

// --- variables

// "my-db" -> "MY_DB".
std::string variable_name(std::string_view name) {
  auto out = sdk::upper(name);
  for (char& c : out) {
    if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
      c = '_';
  }
  return out;
}

// Puts `value` below `node` at a path, making the mappings on the way.
void put(ConfigNode& node, const std::vector<std::string>& path, std::size_t from,
         const ConfigNode& value) {
  if (from == path.size()) {
    node = value;
    return;
  }
  if (!node.is_mapping()) {
    node = {};
    node.kind = ConfigNode::Kind::mapping;
    node.place = value.place;
  }
  auto found = std::ranges::find(node.entries, path[from], &ConfigNode::Entry::key);
  if (found == node.entries.end()) {
    node.entries.push_back({path[from], value.place, {}});
    found = std::prev(node.entries.end());
  }
  put(found->value, path, from + 1, value);
}

std::vector<std::string> split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos)
      return parts;
    text.remove_prefix(at + separator.size());
  }
}

void refuse_collisions(const Document& document, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < document.servers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const auto& first = document.servers[j];
      const auto& second = document.servers[i];
      if (variable_name(first.name) != variable_name(second.name))
        continue;
      diagnostics.error(second.place,
                        "the servers '" + first.name + "' and '" + second.name
                          + "' have the same variables, " + std::string{variable_prefix}
                          + variable_name(second.name) + "__…",
                        "rename one of them");
      diagnostics.note(first.place, "here is '" + first.name + "'");
    }
  }
}

void apply_variables(Document& document, const Environment& environment, Diagnostics& diagnostics) {
  refuse_collisions(document, diagnostics);
  for (const auto& [name, text] : environment.variables(variable_prefix)) {
    const auto rest = std::string_view{name}.substr(variable_prefix.size());
    NamedNode* server = nullptr;
    std::size_t length = 0;
    for (auto& one : document.servers) {
      const auto prefix = variable_name(one.name) + "__";
      if (rest.starts_with(prefix) && prefix.size() > length && rest.size() > prefix.size()) {
        server = &one;
        length = prefix.size();
      }
    }
    const Place place{std::make_shared<const std::string>(name), 0, 0};
    if (!server) {
      diagnostics.warning(place, "this variable belongs to none of the servers");
      continue;
    }
    ConfigNode value;
    value.kind = ConfigNode::Kind::scalar;
    value.place = place;
    value.text = text;
    value.quoted = value.secret = value.is_text = true;
    for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1))
      value.literal_dollars.push_back(static_cast<std::uint32_t>(at));
    put(server->node, split(sdk::lower(rest.substr(length)), "__"), 0, value);
  }
}

// --- --set

// Where a list stands, its item of that name.
ConfigNode* item_named(ConfigNode& list, std::string_view name) {
  for (auto& item : list.items) {
    const auto* found = item.find("name");
    if (found && found->is_scalar() && found->text == name)
      return &item;
  }
  return nullptr;
}

// @returns whether the path leads somewhere.
bool set_below(ConfigNode& node, std::vector<std::string> path, const ConfigNode& value) {
  ConfigNode* at = &node;
  while (!path.empty()) {
    if (at->is_sequence()) {
      at = item_named(*at, path.front());
      if (!at)
        return false;
      path.erase(path.begin());
      continue;
    }
    const auto found = std::ranges::find(at->entries, path.front(), &ConfigNode::Entry::key);
    if (!at->is_mapping() || found == at->entries.end())
      break;
    at = &found->value;
    path.erase(path.begin());
  }
  put(*at, path, 0, value);
  return true;
}

void apply_set(Document& document, const std::string& set, Diagnostics& diagnostics) {
  const auto equals = set.find('=');
  const auto name = std::make_shared<const std::string>("--set " + set.substr(0, equals));
  const Place place{name, 0, 0};
  if (equals == std::string::npos) {
    diagnostics.error(place, "a value is missing", "write --set servers.NAME.pool.max_size=5");
    return;
  }
  auto value = read_yaml(std::string_view{set}.substr(equals + 1), name, diagnostics);
  auto path = split(std::string_view{set}.substr(0, equals), ".");
  if (!value)
    return;
  std::vector<NamedNode>* nodes = nullptr;
  if (path.front() == "servers")
    nodes = &document.servers;
  else if (path.front() == "pipelines")
    nodes = &document.pipelines;
  if (!nodes || path.size() < 3) {
    diagnostics.error(place, "a path begins with servers.NAME. or pipelines.NAME.",
                      "for example servers.db.pool.max_size=5");
    return;
  }
  auto* node = find_named(*nodes, path[1]);
  if (!node) {
    diagnostics.error(place, "nothing has the name '" + path[1] + "'",
                      sdk::did_you_mean(path[1], names_of(*nodes)));
    return;
  }
  path.erase(path.begin(), path.begin() + 2);
  if (!set_below(node->node, path, *value))
    diagnostics.error(place, "the path leads to nothing in '" + node->name + "'",
                      "a step is meant by its name: pipelines.NAME.steps.STEP.timeout=5s");
}

}  // namespace

void apply_overrides(Document& document, const std::string& profile,
                     const std::vector<std::string>& sets, const Environment& environment,
                     Diagnostics& diagnostics) {
  apply_profiles(document, profile, diagnostics);
  apply_secrets(document, environment, diagnostics);
  apply_variables(document, environment, diagnostics);
  for (const auto& set : sets)
    apply_set(document, set, diagnostics);
}

}  // namespace millrace::dsl
