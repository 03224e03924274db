// Builds ConfigNodes for tests without YAML: mapping({{"path", scalar("in.jsonl")}, {"tail",
// scalar("true")}}). Entry n of a mapping stands on line n, as if written `key: value` from
// column 1.
#pragma once

#include "connectors/sdk/config_node.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

inline sdk::ConfigNode scalar(std::string text) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::scalar;
  node.text = std::move(text);
  node.place = {nullptr, 1, 1};
  return node;
}

inline sdk::ConfigNode quoted(std::string text) {
  auto node = scalar(std::move(text));
  node.quoted = true;
  return node;
}

inline sdk::ConfigNode secret(std::string text) {
  auto node = quoted(std::move(text));
  node.secret = true;
  return node;
}

inline sdk::ConfigNode sequence(std::vector<sdk::ConfigNode> items) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::sequence;
  node.place = {nullptr, 1, 1};
  node.items = std::move(items);
  return node;
}

inline sdk::ConfigNode mapping(std::vector<std::pair<std::string, sdk::ConfigNode>> entries) {
  sdk::ConfigNode node;
  node.kind = sdk::ConfigNode::Kind::mapping;
  node.place = {nullptr, 1, 1};
  std::uint32_t line = 0;
  for (auto& [key, value] : entries) {
    ++line;
    value.place = {nullptr, line, static_cast<std::uint32_t>(key.size()) + 3};
    node.entries.push_back({key, {nullptr, line, 1}, std::move(value)});
  }
  return node;
}

}  // namespace millrace::test
