#include "dsl/expression/compiler.hpp"

#include "dsl/expression/expression_nodes.hpp"
#include "dsl/expression/expression_reader.hpp"
#include "dsl/expression/jsonpath_parser.hpp"

#include <algorithm>
#include <array>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::Diagnostics;
using sdk::Value;

constexpr std::array<std::string_view, 4> path_keys{"path", "default", "required", "all"};

/// Where it begins with a `$` that the user wrote, as no `${` and no `$${`.
bool begins_path(const ConfigNode& node) {
  const bool literal = !node.literal_dollars.empty() && node.literal_dollars.front() == 0;
  return !node.is_text && node.text.starts_with('$') && !node.text.starts_with("${") && !literal;
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t most = 60;
  if (text.size() <= most)
    return std::string{text};
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80)
    --end;
  return std::string{text.substr(0, end)} + "…";
}

std::string shown(const ConfigNode& node) {
  return node.secret ? sdk::Secret::masked() : node.text;
}

void mark(CompiledExpression& expression, std::string text, bool secret) {
  expression.set_text(std::move(text));
  expression.set_secret(secret);
}

}  // namespace

RootNamesPtr Compiler::names() {
  if (!names_) {
    names_ = std::make_shared<const RootNames>(
      RootNames{context_.names, context_.meta, context_.result_root});
  }
  return names_;
}

void Compiler::report(const ConfigNode& node, std::string_view what, const TextCursor& cursor,
                      Diagnostics& diagnostics) const {
  const SyntaxError& error = *cursor.error();
  if (node.secret)
    diagnostics.error(node.place,
                      "invalid " + std::string{what} + ", from column "
                        + std::to_string(error.column) + " on",
                      "its text is not shown, since a part of it is secret");
  else if (error.of_syntax)
    diagnostics.error(node.place,
                      "invalid " + std::string{what} + " '" + excerpt(node.text)
                        + "': " + error.to_string(),
                      error.hint);
  else
    diagnostics.error(node.place, error.message, error.hint);
}

sdk::ExpressionPtr Compiler::compile(const ConfigNode& node, Diagnostics& diagnostics) {
  reads_.clear();
  auto compiled = any(node, diagnostics);
  if (compiled)
    compiled->set_reads(std::exchange(reads_, {}));
  return compiled;
}

sdk::ExpressionPtr Compiler::compile_text_for(sdk::TextUse use, const ConfigNode& node,
                                              Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    diagnostics.error(node.place, "text is wanted here, not " + node.describe());
    return nullptr;
  }
  reads_.clear();
  auto compiled = template_text(node, use, diagnostics);
  if (compiled)
    compiled->set_reads(std::exchange(reads_, {}));
  return compiled;
}

Compiler::Compiled Compiler::any(const ConfigNode& node, Diagnostics& diagnostics) {
  switch (node.kind) {
  case ConfigNode::Kind::null: {
    auto null = std::make_shared<ConstantExpression>(Value{});
    null->set_text("null");
    return null;
  }
  case ConfigNode::Kind::scalar:
    return scalar(node, diagnostics);
  case ConfigNode::Kind::sequence:
    return list(node, diagnostics);
  case ConfigNode::Kind::mapping:
    return mapping(node, diagnostics);
  }
  return nullptr;
}

Compiler::Compiled Compiler::scalar(const ConfigNode& node, Diagnostics& diagnostics) {
  const bool path = begins_path(node);
  if (!path && node.find_template() != std::string::npos)
    return template_text(node, sdk::TextUse::plain, diagnostics);
  Compiled compiled;
  if (path || (!node.is_text && looks_like_call(node.text))) {
    TextCursor cursor{node.text};
    ExpressionReader reader{cursor, context_, names(), reads_, node.secret};
    compiled = reader.read();
    if (compiled && !cursor.at_end())
      cursor.fail(path ? "expected '.', '[' or the end, found " + cursor.found()
                       : "expected the end, found " + cursor.found());
    if (cursor.error()) {
      // "$5" is the usual slip.
      const bool price = path && node.text.size() > 1 && TextCursor::is_digit(node.text[1])
                         && !node.secret;
      if (price)
        diagnostics.error(node.place,
                          "'" + excerpt(node.text) + "' begins with '$' like a path, but is none",
                          "{literal: \"" + excerpt(node.text) + "\"} is the text itself");
      else
        report(node, path ? "path" : "expression", cursor, diagnostics);
      return nullptr;
    }
    mark(*compiled, reader.is_secret() ? sdk::Secret::masked() : shown(node), reader.is_secret());
    return compiled;
  }
  compiled = std::make_shared<ConstantExpression>(sdk::literal_value(node));
  mark(*compiled, shown(node), node.secret);
  return compiled;
}

Compiler::Compiled Compiler::list(const ConfigNode& node, Diagnostics& diagnostics) {
  std::vector<sdk::ExpressionPtr> items;
  bool constant = true;
  bool secret = false;
  bool valid = true;
  std::string text = "[";
  for (const ConfigNode& item : node.items) {
    auto compiled = any(item, diagnostics);
    if (!compiled) {
      valid = false;
      continue;
    }
    constant &= compiled->constant() != nullptr;
    secret |= compiled->is_secret();
    text.append(items.empty() ? "" : ", ").append(compiled->text());
    items.push_back(std::move(compiled));
  }
  if (!valid)
    return nullptr;
  Compiled compiled = std::make_shared<ArrayExpression>(std::move(items));
  if (constant)
    compiled = std::make_shared<ConstantExpression>(*compiled->evaluate({}));
  mark(*compiled, text + "]", secret);
  return compiled;
}

Compiler::Compiled Compiler::mapping(const ConfigNode& node, Diagnostics& diagnostics) {
  if (const auto* literal = node.find("literal"); literal && node.entries.size() == 1) {
    auto compiled = std::make_shared<ConstantExpression>(sdk::literal_value(*literal));
    mark(*compiled, literal->is_scalar() ? shown(*literal) : "{literal: …}",
         literal->holds_secret());
    return compiled;
  }
  if (const auto* path = node.find("path"); path && path->is_scalar() && begins_path(*path)) {
    const auto is_known = [](const ConfigNode::Entry& entry) {
      return std::ranges::find(path_keys, std::string_view{entry.key}) != path_keys.end();
    };
    const auto other = std::ranges::find_if_not(node.entries, is_known);
    if (other == node.entries.end())
      return path_mapping(node, diagnostics);
    // An object may have a member `path`; a key that is nearly one of ours is a slip.
    const std::vector<std::string_view> keys{path_keys.begin() + 1, path_keys.end()};
    if (auto hint = sdk::did_you_mean(other->key, keys); !hint.empty()) {
      diagnostics.error(other->key_place, "a path has no option '" + other->key + "'",
                        std::move(hint));
      return nullptr;
    }
  }
  std::vector<ObjectExpression::Entry> entries;
  bool constant = true;
  bool secret = false;
  bool valid = true;
  std::string text = "{";
  for (const auto& entry : node.entries) {
    auto compiled = any(entry.value, diagnostics);
    if (!compiled) {
      valid = false;
      continue;
    }
    constant &= compiled->constant() != nullptr;
    secret |= compiled->is_secret();
    text.append(entries.empty() ? "" : ", ")
      .append(entry.key)
      .append(": ")
      .append(compiled->text());
    entries.emplace_back(entry.key, std::move(compiled));
  }
  if (!valid)
    return nullptr;
  Compiled compiled = std::make_shared<ObjectExpression>(std::move(entries));
  if (constant)
    compiled = std::make_shared<ConstantExpression>(*compiled->evaluate({}));
  mark(*compiled, text + "}", secret);
  return compiled;
}

Compiler::Compiled Compiler::path_mapping(const ConfigNode& node, Diagnostics& diagnostics) {
  Missing missing;
  bool valid = true;
  for (const auto& [name, flag] :
       {std::pair{"required", &missing.required}, std::pair{"all", &missing.all}}) {
    const auto* option = node.find(name);
    if (!option)
      continue;
    const Value value = sdk::literal_value(*option);
    if (value.is_boolean()) {
      *flag = value.as_boolean();
    } else {
      diagnostics.error(option->place, "'" + std::string{name} + "' must be true or false, not "
                                         + option->describe());
      valid = false;
    }
  }
  if (const auto* fallback = node.find("default")) {
    missing.fallback = any(*fallback, diagnostics);
    valid &= missing.fallback != nullptr;
  }
  const ConfigNode& path = *node.find("path");
  const bool secret = path.secret || (missing.fallback && missing.fallback->is_secret());
  TextCursor cursor{path.text};
  ExpressionReader reader{cursor, context_, names(), reads_, path.secret};
  auto compiled = reader.path(std::move(missing));
  if (compiled && !cursor.at_end())
    cursor.fail("expected '.', '[' or the end, found " + cursor.found());
  if (cursor.error()) {
    report(path, "path", cursor, diagnostics);
    return nullptr;
  }
  mark(*compiled, shown(path), secret);
  return valid ? compiled : nullptr;
}

Compiler::Compiled Compiler::template_text(const ConfigNode& node, sdk::TextUse use,
                                           Diagnostics& diagnostics) {
  std::vector<TemplateExpression::Part> parts;
  std::size_t from = 0;
  bool secret = node.secret;
  for (auto at = node.find_template(); at != std::string::npos; at = node.find_template(from)) {
    if (use == sdk::TextUse::sql) {
      diagnostics.error(node.place, "an SQL text takes no '${…}'",
                        "write '?' and put the value into 'parameters'");
      return nullptr;
    }
    TextCursor cursor{node.text};
    cursor.move_to(at + 2);
    cursor.skip_blanks();
    ExpressionReader reader{cursor, context_, names(), reads_, node.secret};
    auto insert = reader.read();
    cursor.skip_blanks();
    if (insert && !cursor.take('}'))
      cursor.fail("expected '}', found " + cursor.found());
    if (cursor.error()) {
      report(node, "template", cursor, diagnostics);
      return nullptr;
    }
    secret |= reader.is_secret();
    parts.push_back({node.text.substr(from, at - from), std::move(insert)});
    from = cursor.position();
  }
  if (use == sdk::TextUse::header && node.text.find_first_of("\r\n") != std::string::npos) {
    diagnostics.error(node.place, "a header has no line breaks");
    return nullptr;
  }
  Compiled compiled;
  if (parts.empty()) {
    compiled = std::make_shared<ConstantExpression>(Value{node.text});
  } else {
    parts.push_back({node.text.substr(from), nullptr});
    compiled = std::make_shared<TemplateExpression>(std::move(parts), use);
  }
  mark(*compiled, secret ? sdk::Secret::masked() : node.text, secret);
  return compiled;
}

sdk::ConditionPtr Compiler::compile_condition(const ConfigNode& node, Diagnostics& diagnostics) {
  if (!node.is_scalar()) {
    diagnostics.error(node.place,
                      "a condition is text like \"$.orders.total > 100\", not " + node.describe());
    return nullptr;
  }
  reads_.clear();
  jsonpath::Logical logical;
  if (node.text == "true" || node.text == "false") {
    logical.kind = jsonpath::Logical::Kind::constant;
    logical.truth = node.text == "true";
  } else {
    TextCursor cursor{node.text};
    cursor.skip_blanks();
    jsonpath::Parser parser{cursor, {}};
    const bool ok = parser.logical(logical);
    cursor.skip_blanks();
    if (ok && !cursor.at_end())
      cursor.fail("expected '&&', '||' or the end, found " + cursor.found());
    if (cursor.error() || !bind(logical, context_, reads_, cursor)) {
      report(node, "condition", cursor, diagnostics);
      return nullptr;
    }
  }
  return std::make_shared<CompiledCondition>(std::move(logical), names(), shown(node),
                                             std::exchange(reads_, {}));
}

std::set<sdk::Slot> slots_read(const sdk::Expression& expression) {
  const auto* compiled = dynamic_cast<const CompiledExpression*>(&expression);
  return compiled ? compiled->reads() : std::set<sdk::Slot>{};
}

std::set<sdk::Slot> slots_read(const sdk::Condition& condition) {
  const auto* compiled = dynamic_cast<const CompiledCondition*>(&condition);
  return compiled ? compiled->reads() : std::set<sdk::Slot>{};
}

bool never_fails(const sdk::Expression& expression) {
  const auto* compiled = dynamic_cast<const CompiledExpression*>(&expression);
  return compiled && compiled->never_fails();
}

}  // namespace millrace::dsl
