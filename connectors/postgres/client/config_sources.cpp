// Settings from files and from the environment.
#include "connectors/postgres/client/config_node.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace millrace::postgres {

namespace {

using sdk::ConfigNode;
using sdk::Value;

constexpr std::string_view variable_prefix = "MILLRACE_SERVERS__";

// An address that the caller wrote down is no secret but for its password, which `url` keeps
// itself.
bool is_secret_option(std::string_view name) {
  return name == "password";
}

char variable_character(char c) {
  const char up = sdk::to_upper(c);
  return (up >= 'A' && up <= 'Z') || (up >= '0' && up <= '9') ? up : '_';
}

sdk::Result<Value> read_json_file(const std::string& path, bool secret) {
  struct stat status {};

  if (::stat(path.c_str(), &status) != 0)
    return sdk::system_error("cannot open '" + path + "'", errno);
  if (secret && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    return sdk::Error{sdk::ErrorKind::config,
                      "other users may read '" + path + "', a file of secrets",
                      {.hint = "chmod 600 " + path}};
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  if (!in)
    return sdk::system_error("cannot read '" + path + "'", errno);
  auto parsed = sdk::parse_json(text.str());
  if (!parsed)
    return sdk::Error{sdk::ErrorKind::config,
                      "'" + path + "' is no JSON"
                        + (secret ? std::string{} : ": " + parsed.error().message())};
  return parsed;
}

// {"servers": {name: …}} of a file or of a profile in it.
void lay_server(ConfigNode& base, const Value& layer, std::string_view name,
                const std::string& path, bool secret) {
  const auto* servers = layer.find("servers");
  const auto* server = servers != nullptr ? servers->find(name) : nullptr;
  if (server != nullptr)
    sdk::merge_over(base, node_of(*server, std::make_shared<const std::string>(path), secret));
}

sdk::Status lay_file(ConfigNode& base, const ConfigSources& sources, std::string_view name) {
  const auto file = read_json_file(sources.file, false);
  if (!file)
    return file.error();
  const auto* profiles = file->find("profiles");
  std::vector<std::string> chosen{"default"};
  if (!sources.profile.empty() && sources.profile != "default")
    chosen.push_back(sources.profile);
  for (const auto& profile : chosen) {
    const auto* layer = profiles != nullptr ? profiles->find(profile) : nullptr;
    if (layer != nullptr)
      lay_server(base, *layer, name, sources.file, false);
    else if (profile != "default")
      return sdk::Error{sdk::ErrorKind::config,
                        "'" + sources.file + "' has no profile '" + profile + "'"};
  }
  lay_server(base, *file, name, sources.file, false);
  return {};
}

// Puts `value` below `node` at a path of `__`.
void put(ConfigNode& node, std::string_view path, const ConfigNode& value) {
  const auto end = path.find("__");
  const std::string key{path.substr(0, end)};
  if (!node.is_mapping()) {
    node = {};
    node.kind = ConfigNode::Kind::mapping;
  }
  auto found = std::ranges::find(node.entries, key, &ConfigNode::Entry::key);
  if (found == node.entries.end()) {
    node.entries.push_back({key, value.place, {}});
    found = std::prev(node.entries.end());
  }
  if (end == std::string_view::npos)
    found->value = value;
  else
    put(found->value, path.substr(end + 2), value);
}

void lay_environment(ConfigNode& base, std::string_view name) {
  std::string prefix{variable_prefix};
  for (const char c : name)
    prefix += variable_character(c);
  prefix += "__";
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text{*variable};
    const auto equals = text.find('=');
    if (!text.starts_with(prefix) || equals == std::string_view::npos || equals <= prefix.size())
      continue;
    auto value = node_of(Value{text.substr(equals + 1)},
                         std::make_shared<const std::string>(text.substr(0, equals)), true);
    put(base, sdk::lower(text.substr(prefix.size(), equals - prefix.size())), value);
  }
}

}  // namespace

ConfigNode node_of(const Value& value, const std::shared_ptr<const std::string>& from,
                   bool secret) {
  ConfigNode node;
  node.place.file = from;
  node.secret = secret;
  if (value.is_object()) {
    node.kind = ConfigNode::Kind::mapping;
    for (const auto& member : value.members()) {
      const std::string key{member.name.as_string()};
      node.entries.push_back(
        {key, node.place, node_of(member.value, from, secret || is_secret_option(key))});
    }
  } else if (value.is_array()) {
    node.kind = ConfigNode::Kind::sequence;
    for (const auto& item : value.items())
      node.items.push_back(node_of(item, from, secret));
  } else if (!value.is_null()) {
    node.kind = ConfigNode::Kind::scalar;
    node.text = value.is_string() ? std::string{value.as_string()} : sdk::to_json(value);
    // Nothing in data is an expression or a template.
    node.quoted = value.is_string();
    node.is_text = true;
    for (auto at = node.text.find('$'); at != std::string::npos; at = node.text.find('$', at + 1))
      node.literal_dollars.push_back(static_cast<std::uint32_t>(at));
  }
  return node;
}

sdk::Result<Settings> load_config(std::string_view name, const ConfigSources& sources) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::mapping;
  if (!sources.file.empty()) {
    if (auto laid = lay_file(node, sources, name); !laid)
      return laid.error();
  }
  if (!sources.secrets.empty()) {
    const auto secrets = read_json_file(sources.secrets, true);
    if (!secrets)
      return secrets.error();
    lay_server(node, *secrets, name, sources.secrets, true);
  }
  if (sources.environment)
    lay_environment(node, name);
  if (node.entries.empty())
    return sdk::Error{sdk::ErrorKind::config,
                      "nothing is said of a server '" + std::string{name} + "'",
                      {.hint = "set MILLRACE_SERVERS__…__URL, or name it below \"servers\""}};
  return read_node(name, std::move(node), {});
}

}  // namespace millrace::postgres
