// What a JSONPath is compiled to (RFC 9535, sections 2.2 to 2.5): a query of segments of selectors,
// with the logical expressions of its filters. Immutable once parsed.
#pragma once

#include "connectors/sdk/record.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::dsl {

class IRegexp;

namespace jsonpath {

struct Logical;

struct Selector {
  enum class Kind : std::uint8_t { name, wildcard, index, slice, filter };

  Kind kind = Kind::wildcard;
  bool fold_case =
    false;  // of a name: take the one member of another case where there is none of this
  std::string name;
  std::int64_t index = 0;             // negative: from the end
  std::optional<std::int64_t> start;  // of a slice
  std::optional<std::int64_t> end;
  std::int64_t step = 1;
  std::shared_ptr<const Logical> filter;
};

struct Segment {
  bool descendant = false;
  std::vector<Selector> selectors;  // at least one
};

struct Query {
  bool absolute = true;  // from `$`, else from `@`
  bool singular = true;  // names and indexes only, one each: at most one node
  std::vector<Segment> segments;
  std::size_t column = 0;  // where it stands in its text, from 1

  // Set where it is compiled over a record: the slot that its first `bound` segments lead to.
  sdk::Slot slot = sdk::no_slot;
  std::size_t bound = 0;
};

enum class Function : std::uint8_t { length, count, match, search, value };

struct Operand;

struct FunctionCall {
  Function function = Function::length;
  std::vector<Operand> arguments;
  std::shared_ptr<const IRegexp> pattern;  // of match and search with a constant pattern
};

/// A literal, a query or a call.
struct Operand {
  enum class Kind : std::uint8_t { literal, query, call };

  Kind kind = Kind::literal;
  sdk::Value literal;
  Query query;
  FunctionCall call;
};

enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };

struct Logical {
  enum class Kind : std::uint8_t {
    any_of,      // a || b || c
    all_of,      // a && b && c
    negation,    // !a
    comparison,  // left op right
    test,        // left: a query selects something, or a call of match or search is true
    constant,    // `truth`; conditions only
  };

  Kind kind = Kind::test;
  bool truth = true;
  Comparison comparison = Comparison::equal;
  std::vector<Logical> parts;
  Operand left;
  Operand right;
};

}  // namespace jsonpath
}  // namespace millrace::dsl
