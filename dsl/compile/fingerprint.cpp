#include "dsl/compile/fingerprint.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;

/// FNV-1a, twice with different beginnings: no secret is hidden by it, and none has to be.
class Hash {
public:
  void add(std::string_view text) noexcept {
    add_number(text.size());
    for (const char c : text)
      add_byte(static_cast<unsigned char>(c));
  }

  void add_number(std::uint64_t number) noexcept {
    for (int i = 0; i < 8; ++i, number >>= 8U)
      add_byte(static_cast<unsigned char>(number & 0xFFU));
  }

  std::string text() const { return std::to_string(states_[0]) + "-" + std::to_string(states_[1]); }

private:
  void add_byte(unsigned char byte) noexcept {
    for (auto& state : states_)
      state = (state ^ byte) * 0x100000001B3ULL;
  }

  std::array<std::uint64_t, 2> states_{0xCBF29CE484222325ULL, 0x9E3779B97F4A7C15ULL};
};

void add(Hash& hash, const ConfigNode& node) {
  hash.add_number(static_cast<std::uint64_t>(node.kind));
  hash.add_number(node.quoted ? 1 : 0);
  hash.add_number(node.is_text ? 1 : 0);
  hash.add(node.text);
  for (const auto offset : node.literal_dollars)
    hash.add_number(offset);
  hash.add_number(node.items.size());
  for (const auto& item : node.items)
    add(hash, item);
  hash.add_number(node.entries.size());
  for (const auto& entry : node.entries) {
    hash.add(entry.key);
    add(hash, entry.value);
  }
}

/// What a pipeline's text names, or may name.
struct Names {
  std::set<std::string, std::less<>> texts;  // every scalar
  bool implicit = false;                     // a step names no server, or gives it by an expression
};

void collect(const ConfigNode& node, Names& names) {
  if (node.is_scalar())
    names.texts.insert(node.text);
  for (const auto& item : node.items)
    collect(item, names);
  const auto* server = node.find("server");
  if (node.find("type") || node.find("operation"))
    names.implicit = names.implicit || !server
                     || (server->is_scalar() && server->text.starts_with('$'));
  for (const auto& entry : node.entries)
    collect(entry.value, names);
}

std::string of_server(const Document& document, const NamedNode& named,
                      const ServerProgram& server) {
  Hash hash;
  hash.add(named.name);
  add(hash, named.node);
  for (const auto& scheme : document.schemes) {
    hash.add(scheme.name);
    add(hash, scheme.node);
  }
  for (const auto& statement : server.init)
    hash.add(statement);
  return hash.text();
}

/// The types of the steps that talk to a server: its protocol.
bool may_use(const Names& names, const ServerProgram& server) {
  return names.texts.contains(server.name)
         || (names.implicit && names.texts.contains(server.protocol));
}

}  // namespace

std::string fingerprint(const ConfigNode& node) {
  Hash hash;
  add(hash, node);
  return hash.text();
}

void add_fingerprints(const Document& document, Program& program) {
  for (auto& server : program.servers) {
    if (const auto* named = find_named(document.servers, server.name))
      server.fingerprint = of_server(document, *named, server);
  }
  for (auto& pipeline : program.pipelines) {
    const auto* named = find_named(document.pipelines, pipeline.name);
    if (!named)
      continue;
    Hash hash;
    Names names;
    add(hash, named->node);
    collect(named->node, names);
    for (const auto& preset : document.operations) {
      if (!names.texts.contains(preset.name))
        continue;
      hash.add(preset.name);
      add(hash, preset.node);
      collect(preset.node, names);
    }
    for (const auto& server : program.servers) {
      if (may_use(names, server))
        hash.add(server.fingerprint);
    }
    pipeline.fingerprint = hash.text();
  }
}

}  // namespace millrace::dsl
