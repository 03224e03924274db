// Logical expressions and function calls: RFC 9535, sections 2.3.5 and 2.4.
#include "connectors/sdk/diagnostic.hpp"
#include "dsl/expression/iregexp.hpp"
#include "dsl/expression/jsonpath_parser.hpp"

#include <algorithm>
#include <array>

namespace millrace::dsl::jsonpath {

namespace {

enum class Type : std::uint8_t { value, nodes, logical };

struct Signature {
  std::string_view name;
  Function function;
  Type result;
  Type parameter;  // all parameters of one function have one type
  std::size_t arity;
};

// RFC 9535, sections 2.4.4 to 2.4.8.
constexpr std::array signatures{
  Signature{"length", Function::length, Type::value, Type::value, 1},
  Signature{"count", Function::count, Type::value, Type::nodes, 1},
  Signature{"match", Function::match, Type::logical, Type::value, 2},
  Signature{"search", Function::search, Type::logical, Type::value, 2},
  Signature{"value", Function::value, Type::value, Type::nodes, 1},
};

const Signature& signature_of(Function function) {
  return *std::find_if(signatures.begin(), signatures.end(),
                       [&](const Signature& entry) { return entry.function == function; });
}

bool starts_literal_word(const TextCursor& in) {
  for (const std::string_view word : {"true", "false", "null"}) {
    if (!in.text().substr(in.position()).starts_with(word))
      continue;
    const char behind = in.peek(word.size());
    const bool longer = (behind >= 'a' && behind <= 'z') || (behind >= 'A' && behind <= 'Z')
                        || TextCursor::is_digit(behind) || behind == '_' || behind == '(';
    return !longer;
  }
  return false;
}

}  // namespace

bool Parser::logical(Logical& out) {
  if (++depth_ > max_depth)
    return in_.fail("nested deeper than " + std::to_string(max_depth));
  if (!all_of(out))
    return false;
  for (bool grouped = false;;) {
    const std::size_t before = in_.position();
    in_.skip_blanks();
    if (!in_.take("||")) {
      in_.move_to(before);
      break;
    }
    in_.skip_blanks();
    if (!grouped) {
      Logical first = std::move(out);
      out = Logical{};
      out.kind = Logical::Kind::any_of;
      out.parts.push_back(std::move(first));
      grouped = true;
    }
    if (!all_of(out.parts.emplace_back()))
      return false;
  }
  --depth_;
  return true;
}

bool Parser::all_of(Logical& out) {
  if (!basic(out))
    return false;
  for (bool grouped = false;;) {
    const std::size_t before = in_.position();
    in_.skip_blanks();
    if (!in_.take("&&")) {
      in_.move_to(before);
      return true;
    }
    in_.skip_blanks();
    if (!grouped) {
      Logical first = std::move(out);
      out = Logical{};
      out.kind = Logical::Kind::all_of;
      out.parts.push_back(std::move(first));
      grouped = true;
    }
    if (!basic(out.parts.emplace_back()))
      return false;
  }
}

bool Parser::basic(Logical& out) {
  const bool negated = in_.next_is('!');
  if (!negated)
    return in_.next_is('(') ? parenthesised(out) : comparison_or_test(out, false);
  in_.take('!');
  in_.skip_blanks();
  out.kind = Logical::Kind::negation;
  Logical& inner = out.parts.emplace_back();
  return in_.next_is('(') ? parenthesised(inner) : comparison_or_test(inner, true);
}

bool Parser::parenthesised(Logical& out) {
  in_.take('(');
  in_.skip_blanks();
  if (!logical(out))
    return false;
  in_.skip_blanks();
  return in_.take(')') || in_.fail("expected ')', found " + in_.found());
}

bool Parser::comparison_operator(Comparison& out) {
  if (in_.take("=="))
    out = Comparison::equal;
  else if (in_.take("!="))
    out = Comparison::not_equal;
  else if (in_.take("<="))
    out = Comparison::less_equal;
  else if (in_.take(">="))
    out = Comparison::greater_equal;
  else if (in_.take('<'))
    out = Comparison::less;
  else if (in_.take('>'))
    out = Comparison::greater;
  else
    return false;
  return true;
}

bool Parser::comparison_or_test(Logical& out, bool negated) {
  const std::size_t start = in_.position();
  if (!operand(out.left))
    return false;
  const std::size_t behind = in_.position();
  in_.skip_blanks();
  const std::size_t operator_at = in_.position();
  if (!comparison_operator(out.comparison)) {
    if (in_.next_is('='))
      return in_.fail("expected '==', found '='");
    in_.move_to(behind);
    out.kind = Logical::Kind::test;
    if (out.left.kind == Operand::Kind::literal)
      return in_.fail(start, "a literal must be compared with something");
    if (out.left.kind == Operand::Kind::call
        && signature_of(out.left.call.function).result == Type::value)
      return in_.fail(start, "the result of "
                               + std::string{signature_of(out.left.call.function).name}
                               + "() must be compared with something");
    return true;
  }
  if (negated)
    return in_.fail(operator_at, "put the comparison into parentheses: !(a == b)");
  out.kind = Logical::Kind::comparison;
  if (!check_comparable(out.left, start))
    return false;
  in_.skip_blanks();
  const std::size_t right_at = in_.position();
  return operand(out.right) && check_comparable(out.right, right_at);
}

bool Parser::check_comparable(const Operand& operand, std::size_t position) {
  if (operand.kind == Operand::Kind::query && !operand.query.singular)
    return in_.fail(
      position, "a path that can select several nodes cannot be compared; use count() or value()");
  if (operand.kind == Operand::Kind::call
      && signature_of(operand.call.function).result == Type::logical)
    return in_.fail(position, "the result of "
                                + std::string{signature_of(operand.call.function).name}
                                + "() is true or false already and cannot be compared");
  return true;
}

bool Parser::operand(Operand& out) {
  const char c = in_.peek();
  if (c == '@' || c == '$') {
    out.kind = Operand::Kind::query;
    if (++depth_ > max_depth)
      return in_.fail("nested deeper than " + std::to_string(max_depth));
    const bool ok = query(out.query);
    --depth_;
    return ok;
  }
  if (c == '\'' || c == '"') {
    std::string text;
    if (!in_.string_literal(text))
      return false;
    out.literal = sdk::Value{text};
    return true;
  }
  if (c == '-' || TextCursor::is_digit(c))
    return in_.number_literal(out.literal);
  if (starts_literal_word(in_)) {
    if (in_.take("true"))
      out.literal = sdk::Value{true};
    else if (in_.take("false"))
      out.literal = sdk::Value{false};
    else
      in_.take("null");
    return true;
  }
  if (c >= 'a' && c <= 'z')
    return call(out);
  return in_.fail("expected '@', '$', a literal or a function, found " + in_.found());
}

bool Parser::call(Operand& out) {
  const std::size_t start = in_.position();
  std::size_t end = start;
  const auto name_character = [](char c) {
    return (c >= 'a' && c <= 'z') || TextCursor::is_digit(c) || c == '_';
  };
  while (end < in_.text().size() && name_character(in_.text()[end]))
    ++end;
  const auto name = in_.text().substr(start, end - start);
  const auto* signature = std::find_if(signatures.begin(), signatures.end(),
                                       [&](const Signature& entry) { return entry.name == name; });
  if (end >= in_.text().size() || in_.text()[end] != '(')
    return in_.fail(start, "expected '@', '$', a literal or a function, found '" + std::string{name}
                             + "'");
  if (signature == signatures.end()) {
    std::vector<std::string_view> names;
    names.reserve(signatures.size());
    for (const auto& entry : signatures)
      names.push_back(entry.name);
    std::string hint = sdk::did_you_mean(name, names);
    return in_.fail(start, "no function '" + std::string{name} + "' in filters",
                    hint.empty() ? "there is length, count, match, search, value"
                                 : std::move(hint));
  }
  in_.move_to(end + 1);
  out.kind = Operand::Kind::call;
  out.call.function = signature->function;
  if (++depth_ > max_depth)
    return in_.fail("nested deeper than " + std::to_string(max_depth));
  const bool ok = arguments(out.call, name);
  --depth_;
  if (!ok)
    return false;
  if (signature->result == Type::logical) {
    const Operand& pattern = out.call.arguments[1];
    if (pattern.kind == Operand::Kind::literal && pattern.literal.is_string())
      out.call.pattern = IRegexp::compile(pattern.literal.as_string());
  }
  return true;
}

bool Parser::arguments(FunctionCall& out, std::string_view name) {
  const std::size_t arity = signature_of(out.function).arity;
  in_.skip_blanks();
  for (bool more = !in_.next_is(')'); more; more = in_.take(',')) {
    in_.skip_blanks();
    const std::size_t position = in_.position();
    if (in_.next_is('!') || in_.next_is('('))
      return in_.fail(std::string{name} + "() takes no logical expression");
    if (!operand(out.arguments.emplace_back()))
      return false;
    if (out.arguments.size() <= arity
        && !check_argument(out, name, out.arguments.size() - 1, position))
      return false;
    in_.skip_blanks();
  }
  if (!in_.next_is(')'))
    return in_.fail("expected ')' or ',', found " + in_.found());
  if (out.arguments.size() != arity)
    return in_.fail(std::string{name} + "() takes " + std::to_string(arity)
                    + (arity == 1 ? " argument" : " arguments") + ", not "
                    + std::to_string(out.arguments.size()));
  in_.take(')');
  return true;
}

bool Parser::check_argument(const FunctionCall& call, std::string_view name, std::size_t index,
                            std::size_t position) {
  const Operand& argument = call.arguments[index];
  const std::string function{name};
  if (signature_of(call.function).parameter == Type::nodes) {
    return argument.kind == Operand::Kind::query
           || in_.fail(position, function + "() takes a path");
  }
  if (argument.kind == Operand::Kind::query && !argument.query.singular)
    return in_.fail(position, function + "() takes one value; this path can select several");
  if (argument.kind == Operand::Kind::call
      && signature_of(argument.call.function).result != Type::value)
    return in_.fail(position, function + "() takes a value, not true or false");
  return true;
}

}  // namespace millrace::dsl::jsonpath
