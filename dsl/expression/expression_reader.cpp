#include "dsl/expression/expression_reader.hpp"

#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/secret.hpp"
#include "dsl/expression/jsonpath_parser.hpp"

namespace millrace::dsl {

namespace {

using sdk::Value;

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_name_character(char c) {
  return is_name_start(c) || TextCursor::is_digit(c);
}

std::string_view name_at(const TextCursor& in) {
  const auto rest = in.text().substr(in.position());
  std::size_t size = 0;
  if (!rest.empty() && is_name_start(rest[0])) {
    while (size < rest.size() && is_name_character(rest[size]))
      ++size;
  }
  return rest.substr(0, size);
}

std::string count_text(const FunctionInfo& function) {
  const auto counted = [](std::size_t n) {
    return (n == 0 ? std::string{"no"} : std::to_string(n)) + (n == 1 ? " argument" : " arguments");
  };
  return function.most == FunctionInfo::any_number ? "at least " + counted(function.least)
                                                   : counted(function.least);
}

}  // namespace

ExpressionReader::Compiled ExpressionReader::with_text(Compiled expression, std::size_t start) {
  if (expression)
    expression->set_text(masked_ ? sdk::Secret::masked()
                                 : std::string{in_.text().substr(start, in_.position() - start)});
  return expression;
}

ExpressionReader::Compiled ExpressionReader::read() {
  const std::size_t start = in_.position();
  const char c = in_.peek();
  if (c == '$')
    return path({});
  if (c == '\'' || c == '"') {
    std::string text;
    if (!in_.string_literal(text))
      return nullptr;
    return with_text(std::make_shared<ConstantExpression>(Value{text}), start);
  }
  if (c == '-' || TextCursor::is_digit(c)) {
    Value number;
    if (!in_.number_literal(number))
      return nullptr;
    return with_text(std::make_shared<ConstantExpression>(std::move(number)), start);
  }
  const auto name = name_at(in_);
  if (!name.empty() && in_.peek(name.size()) == '(')
    return call();
  if (name == "true" || name == "false" || name == "null") {
    in_.take(name);
    auto value = name == "null" ? Value{} : Value{name == "true"};
    return with_text(std::make_shared<ConstantExpression>(std::move(value)), start);
  }
  in_.fail("expected a path, a function, a quoted text or a number, found "
           + (name.empty() ? in_.found() : "'" + std::string{name} + "'"));
  return nullptr;
}

ExpressionReader::Compiled ExpressionReader::path(Missing missing) {
  const std::size_t start = in_.position();
  jsonpath::Query query;
  jsonpath::Parser parser{in_, {}};
  if (!parser.query(query) || !bind(query, context_, reads_, in_))
    return nullptr;
  const bool rooted = query.slot != sdk::no_slot || context_.result_root;
  if (query.singular && rooted && !missing.all)
    return with_text(std::make_shared<SlotPath>(query, std::move(missing)), start);
  return with_text(std::make_shared<PathExpression>(std::move(query), std::move(missing), names_),
                   start);
}

ExpressionReader::Compiled ExpressionReader::call() {
  const std::size_t start = in_.position();
  const auto name = name_at(in_);
  const auto* function = find_function(name);
  if (!function) {
    std::vector<std::string_view> known;
    known.reserve(functions().size());
    for (const auto& entry : functions())
      known.push_back(entry.name);
    auto hint = sdk::did_you_mean(name, known);
    if (hint.empty())
      hint =
        "'millrace list functions' lists them; {literal: …} is for text that looks like a call";
    in_.fail_name(start, "no function '" + std::string{name} + "'", std::move(hint));
    return nullptr;
  }
  if (++depth_ > max_depth) {
    in_.fail("calls nested deeper than " + std::to_string(max_depth));
    return nullptr;
  }
  in_.move_to(start + name.size() + 1);
  std::vector<sdk::ExpressionPtr> arguments;
  in_.skip_blanks();
  for (bool more = !in_.next_is(')'); more; more = in_.take(',')) {
    in_.skip_blanks();
    auto compiled = argument(*function, arguments.size());
    if (!compiled)
      return nullptr;
    arguments.push_back(std::move(compiled));
    in_.skip_blanks();
  }
  if (!in_.take(')')) {
    in_.fail("expected ',' or ')', found " + in_.found());
    return nullptr;
  }
  --depth_;
  return finish_call(*function, start, std::move(arguments));
}

ExpressionReader::Compiled ExpressionReader::argument(const FunctionInfo& function,
                                                      std::size_t index) {
  const std::size_t position = in_.position();
  Compiled compiled;
  if (in_.next_is('$')) {
    // Of several nodes an aggregate takes all; a singular path stays what it is.
    compiled = path({});
    if (compiled && function.parameter(index) == ParameterKind::values
        && dynamic_cast<const PathExpression*>(compiled.get())) {
      in_.move_to(position);
      compiled = path({.all = true});
    }
  } else {
    compiled = read();
  }
  if (compiled && !check_kind(function, index, *compiled, position))
    return nullptr;
  return compiled;
}

bool ExpressionReader::check_kind(const FunctionInfo& function, std::size_t index,
                                  const CompiledExpression& argument, std::size_t position) {
  if (index >= function.most)
    return true;  // counted at the end
  const ParameterKind kind = function.parameter(index);
  const std::string who = std::string{function.name} + "() ";
  if (const Value* constant = argument.constant()) {
    if (constant->is_null())
      return true;
    auto status = check_argument(kind, *constant);
    return status || in_.fail_name(position, who + status.error().message(), status.error().hint());
  }
  const auto* call = dynamic_cast<const CallExpression*>(&argument);
  if (!call)
    return true;
  const ResultKind result = call->function().result;
  const bool wants_text = kind == ParameterKind::text || kind == ParameterKind::duration
                          || kind == ParameterKind::unit || kind == ParameterKind::pattern;
  const bool wants_other = kind == ParameterKind::duration || kind == ParameterKind::unit;
  if ((wants_text && result == ResultKind::number) || (wants_other && result == ResultKind::time))
    return in_.fail_name(position,
                         who + "wants " + std::string{describe(kind)} + ", which "
                           + std::string{call->function().name} + "() does not give",
                         std::string{function.signature});
  return true;
}

ExpressionReader::Compiled
ExpressionReader::finish_call(const FunctionInfo& function, std::size_t start,
                              std::vector<sdk::ExpressionPtr> arguments) {
  if (arguments.size() < function.least || arguments.size() > function.most) {
    in_.fail_name(start,
                  std::string{function.name} + "() takes " + count_text(function) + ", not "
                    + std::to_string(arguments.size()),
                  "it is " + std::string{function.signature} + ", as in "
                    + std::string{function.example});
    return nullptr;
  }
  if (!function.evaluate)
    return with_text(environment(arguments, start), start);
  bool constant = function.pure;
  for (const auto& argument : arguments)
    constant &= argument->constant() != nullptr;
  auto compiled = std::make_shared<CallExpression>(function, std::move(arguments), *context_.clock);
  if (!constant)
    return with_text(std::move(compiled), start);
  auto value = compiled->evaluate({});
  if (!value) {
    in_.fail_name(start, value.error().message(), value.error().hint());
    return nullptr;
  }
  return with_text(std::make_shared<ConstantExpression>(std::move(*value)), start);
}

ExpressionReader::Compiled
ExpressionReader::environment(const std::vector<sdk::ExpressionPtr>& arguments, std::size_t start) {
  const Value* name = arguments[0]->constant();
  if (!name || !name->is_string()) {
    in_.fail_name(start, "env() takes a quoted name: it is read when the file is loaded",
                  "env('API_TOKEN')");
    return nullptr;
  }
  std::optional<std::string> value;
  if (context_.variable)
    value = context_.variable(std::string{name->as_string()});
  if (!value) {
    in_.fail_name(start,
                  "the environment has no variable '" + std::string{name->as_string()} + "'");
    return nullptr;
  }
  secret_ = true;
  return std::make_shared<ConstantExpression>(Value{*value});
}

bool looks_like_call(std::string_view text) {
  TextCursor in{text};
  const auto name = name_at(in);
  if (name.empty() || in.peek(name.size()) != '(')
    return false;
  int open = 0;
  char quote = '\0';
  for (std::size_t i = name.size(); i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++open;
    } else if (c == ')' && --open == 0) {
      return i + 1 == text.size();
    }
  }
  // Not closed: a slip where the function is one of ours, else plain text.
  return find_function(name) != nullptr;
}

}  // namespace millrace::dsl
