#include "dsl/expression/expression_nodes.hpp"

#include "dsl/expression/function_bodies.hpp"
#include "dsl/expression/jsonpath_select.hpp"

#include <array>

namespace millrace::dsl {

namespace {

using sdk::Error;
using sdk::ErrorKind;
using sdk::Result;
using sdk::Scope;
using sdk::Value;

Result<Value> nothing_selected(const Missing& missing, const std::string& text,
                               const Scope& scope) {
  if (missing.fallback)
    return missing.fallback->evaluate(scope);
  if (missing.required)
    return Error{ErrorKind::expression, "the record has no '" + text + "', which is required"};
  return Value{};
}

void append_percent_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // RFC 3986, section 2.3.
    const bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                            || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
                            || c == '~';
    if (unreserved) {
      out += c;
      continue;
    }
    out += '%';
    out += hex[byte >> 4U];
    out += hex[byte & 15U];
  }
}

}  // namespace

SlotPath::SlotPath(const jsonpath::Query& query, Missing missing)
  : slot_{query.slot}, missing_{std::move(missing)} {
  for (std::size_t i = query.bound; i < query.segments.size(); ++i) {
    const auto& selector = query.segments[i].selectors[0];
    steps_.push_back({selector.kind == jsonpath::Selector::Kind::name, selector.fold_case,
                      Value{selector.name}, selector.index});
  }
}

Result<Value> SlotPath::evaluate(const Scope& scope) const {
  const Value* value = slot_ == sdk::no_slot ? scope.result : &scope.record->get(slot_);
  for (const Step& step : steps_) {
    if (!step.is_name)
      value = jsonpath::find_item(*value, step.index);
    else if (step.fold_case)
      value = jsonpath::find_member(*value, step.name.as_string(), true);
    else
      value = value->find_named(step.name);
    if (!value)
      return nothing_selected(missing_, text(), scope);
  }
  return *value;
}

Result<Value> PathExpression::evaluate(const Scope& scope) const {
  ScopeRoot root{scope, *names_};
  jsonpath::Selection selection{root};
  std::vector<jsonpath::Selection::Node> nodes;
  if (auto status = selection.select(query_, nodes); !status)
    return status.error();
  if (missing_.all && (!nodes.empty() || (!missing_.fallback && !missing_.required))) {
    auto all = Value::array();
    all.reserve(nodes.size());
    for (const auto& node : nodes)
      all.push_back(*node.value);
    return all;
  }
  if (nodes.empty())
    return nothing_selected(missing_, text(), scope);
  if (nodes.size() > 1)
    return Error{ErrorKind::expression,
                 "'" + text() + "' selects " + std::to_string(nodes.size())
                   + " values where one is wanted",
                 {.hint = "{path: …, all: true} takes all of them"}};
  return *nodes[0].value;
}

Result<Value> CallExpression::evaluate(const Scope& scope) const {
  std::array<Value, 4> few;
  std::vector<Value> many;
  std::span<Value> values{few.data(), arguments_.size()};
  if (arguments_.size() > few.size()) {
    many.resize(arguments_.size());
    values = many;
  }
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    auto value = arguments_[i]->evaluate(scope);
    if (!value)
      return value;
    if (function_.null_through && value->is_null())
      return Value{};
    values[i] = std::move(*value);
  }
  auto answer = function_.evaluate(clock_, values);
  if (!answer)
    return Error{answer.error().kind(),
                 std::string{function_.name} + "() " + answer.error().message(),
                 answer.error().detail()};
  return answer;
}

Result<Value> ArrayExpression::evaluate(const Scope& scope) const {
  auto array = Value::array();
  array.reserve(items_.size());
  for (const auto& item : items_) {
    auto value = item->evaluate(scope);
    if (!value)
      return value;
    array.push_back(std::move(*value));
  }
  return array;
}

Result<Value> ObjectExpression::evaluate(const Scope& scope) const {
  auto object = Value::object();
  object.reserve(entries_.size());
  for (const auto& [name, expression] : entries_) {
    auto value = expression->evaluate(scope);
    if (!value)
      return value;
    object.set(name, std::move(*value));
  }
  return object;
}

Result<Value> TemplateExpression::evaluate(const Scope& scope) const {
  std::string out;
  std::string inserted;
  for (const Part& part : parts_) {
    out += part.text;
    if (!part.insert)
      continue;
    auto value = part.insert->evaluate(scope);
    if (!value)
      return value;
    if (use_ == sdk::TextUse::plain) {
      append_text(out, *value);
      continue;
    }
    inserted.clear();
    append_text(inserted, *value);
    if (use_ == sdk::TextUse::url) {
      append_percent_encoded(out, inserted);
      continue;
    }
    if (inserted.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
      return Error{ErrorKind::data,
                   "'" + part.insert->text() + "' holds a line break, which a header cannot"};
    out += inserted;
  }
  return Value{out};
}

Result<bool> CompiledCondition::test(const Scope& scope) const {
  ScopeRoot root{scope, *names_};
  jsonpath::Selection selection{root};
  const bool truth = selection.test(logical_, nullptr);
  if (selection.exhausted())
    return selection.exhausted_error();
  return truth;
}

}  // namespace millrace::dsl
