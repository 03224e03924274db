// Reads a JSONPath query or a logical expression (RFC 9535) from a cursor and checks that it is
// well-typed.
#pragma once

#include "dsl/expression/jsonpath_ast.hpp"
#include "dsl/expression/text_cursor.hpp"

namespace millrace::dsl::jsonpath {

struct ParseOptions {
  bool strict = false;        // refuse `-` inside shorthand names
  bool current_node = false;  // `@` may be used at the outermost level
};

class Parser {
public:
  Parser(TextCursor& cursor, ParseOptions options) noexcept : in_{cursor}, options_{options} {}

  /// A query that begins at `$` and ends where no segment follows.
  bool query(Query& out);

  /// A logical expression, as in a filter, that ends where no operator follows.
  bool logical(Logical& out);

private:
  // What a deeply nested hostile path may use of the stack.
  static constexpr int max_depth = 64;

  bool segments(Query& out);
  bool segment(Query& out, bool& found);
  bool bracketed(Segment& out);
  bool selector(Selector& out);
  bool index_or_slice(Selector& out);
  bool optional_integer(std::optional<std::int64_t>& out);
  bool shorthand(std::string& out);

  bool all_of(Logical& out);
  bool basic(Logical& out);
  bool parenthesised(Logical& out);
  bool comparison_or_test(Logical& out, bool negated);
  bool comparison_operator(Comparison& out);
  bool check_comparable(const Operand& operand, std::size_t position);

  bool operand(Operand& out);
  bool call(Operand& out);
  bool arguments(FunctionCall& out, std::string_view name);
  bool check_argument(const FunctionCall& call, std::string_view name, std::size_t index,
                      std::size_t position);
  static bool is_name_start(char32_t c) noexcept;

  TextCursor& in_;
  ParseOptions options_;
  int depth_ = 0;
  int filters_ = 0;
};

}  // namespace millrace::dsl::jsonpath
