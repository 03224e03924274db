#include "dsl/compile/request_transaction.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace millrace::dsl {
namespace {

using sdk::ConfigNode;

bool is_database(const ConfigNode& node) {
  const auto* type = node.find("type");
  return type && type->text == "database";
}

// Whether `step`, or a step within it, is one of a database, by itself or by its preset.
bool uses_database(const ConfigNode& step, const Document& document) {
  const auto* operation = step.find("operation");
  const auto* preset = operation && operation->is_scalar()
                         ? find_named(document.operations, operation->text)
                         : nullptr;
  if (is_database(step) || (preset && is_database(preset->node)))
    return true;
  const auto inside = [&](const ConfigNode& node) { return uses_database(node, document); };
  return std::ranges::any_of(step.items, inside)
         || std::ranges::any_of(step.entries,
                                [&](const auto& entry) { return inside(entry.value); });
}

ConfigNode text_node(std::string text, const sdk::Place& place) {
  ConfigNode node;
  node.kind = ConfigNode::Kind::scalar;
  node.place = place;
  node.text = std::move(text);
  return node;
}

}  // namespace

const ConfigNode* first_database_step(const ConfigNode& steps, const Document& document) {
  const auto first = std::ranges::find_if(
    steps.items, [&](const auto& step) { return uses_database(step, document); });
  return first == steps.items.end() ? nullptr : &*first;
}

bool wrap_from_database(ConfigNode& steps, const WrapBlock& wanted, const Document& document) {
  const auto first = std::ranges::find_if(
    steps.items, [&](const auto& step) { return uses_database(step, document); });
  if (first == steps.items.end())
    return false;
  ConfigNode inner;
  inner.kind = ConfigNode::Kind::sequence;
  inner.place = first->place;
  inner.items.assign(std::make_move_iterator(first), std::make_move_iterator(steps.items.end()));
  steps.items.erase(first, steps.items.end());
  ConfigNode block;
  block.kind = ConfigNode::Kind::mapping;
  block.place = wanted.place;
  const auto add = [&](const char* key, ConfigNode value) {
    block.entries.push_back({key, wanted.place, std::move(value)});
  };
  add("name", text_node(wanted.name, wanted.place));
  add("type", text_node("database", wanted.place));
  add("operation", text_node("transaction", wanted.place));
  if (wanted.server)
    add("server", *wanted.server);
  add("steps", std::move(inner));
  steps.items.push_back(std::move(block));
  return true;
}

bool wrap_request(ConfigNode& steps, const ConfigNode& server, const Document& document,
                  sdk::Diagnostics& diagnostics) {
  if (wrap_from_database(steps, {"request-transaction", server.place, server}, document))
    return true;
  diagnostics.error(server.place, "no step of this pipeline uses a database",
                    "leave 'transaction' out");
  return false;
}

}  // namespace millrace::dsl
