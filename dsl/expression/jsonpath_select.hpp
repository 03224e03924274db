// Runs a compiled JSONPath over a value (RFC 9535, sections 2.1 to 2.6).
#pragma once

#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "dsl/expression/jsonpath_ast.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl::jsonpath {

/// What `$` stands for while a path runs.
class Root {
public:
  virtual ~Root() = default;
  /// The value of `$` as a whole.
  virtual const sdk::Value& whole() = 0;
  /// The value that a bound query starts from.
  virtual const sdk::Value& slot(sdk::Slot slot) = 0;
};

/// A value that `$` is.
class ValueRoot final : public Root {
public:
  explicit ValueRoot(const sdk::Value& value) noexcept : value_{value} {}

  const sdk::Value& whole() override { return value_; }

  const sdk::Value& slot(sdk::Slot) override { return value_; }

private:
  const sdk::Value& value_;
};

/// One run over one root. Values it gives point into the root.
class Selection {
public:
  /// With `places` it remembers where each node is, for `normalized_path`.
  explicit Selection(Root& root, bool places = false) noexcept : root_{root}, places_{places} {}

  struct Node {
    const sdk::Value* value = nullptr;
    std::uint32_t place = 0;  // of the step that led there; 0: the root
  };

  /// @returns kind `expression` where the path looks at more nodes than `max_steps`.
  sdk::Status select(const Query& query, std::vector<Node>& out);

  /// The only node of a singular query, or null.
  const sdk::Value* find(const Query& query, const sdk::Value* current);

  bool test(const Logical& logical, const sdk::Value* current);

  /// Whether the work went beyond `max_steps`; what was found so far means nothing then.
  bool exhausted() const noexcept { return steps_ > max_steps; }

  sdk::Error exhausted_error() const;

  /// `$['a'][0]` (section 2.7).
  std::string normalized_path(std::uint32_t place) const;

  /// Bounds the time of paths such as `$..*..*..*` on large values to seconds.
  static constexpr std::uint64_t max_steps = 10'000'000;

private:
  struct Step {
    std::uint32_t parent = 0;
    const sdk::Value* name = nullptr;  // null: an item
    std::size_t index = 0;
  };

  struct Comparand;

  void run(const Query& query, const sdk::Value* current, std::vector<Node>& out);
  void apply(const Segment& segment, Node node, std::vector<Node>& out);
  void apply_to_descendants(const Segment& segment, Node node, std::vector<Node>& out);
  void apply(const Selector& selector, Node node, std::vector<Node>& out);
  void apply_slice(const Selector& selector, Node node, std::vector<Node>& out);
  void apply_filter(const Selector& selector, Node node, std::vector<Node>& out);
  void push(Node parent, const sdk::Value& value, const sdk::Value* name, std::size_t index,
            std::vector<Node>& out);

  bool selects_any(const Query& query, const sdk::Value* current);
  bool compare(const Logical& logical, const sdk::Value* current);
  void evaluate(const Operand& operand, const sdk::Value* current, Comparand& out);
  void call(const FunctionCall& call, const sdk::Value* current, Comparand& out);
  bool call_test(const FunctionCall& call, const sdk::Value* current);

  Root& root_;
  bool places_;
  std::uint64_t steps_ = 0;
  std::vector<Step> trail_;  // place - 1
};

/// The member a name selects, or null; with `fold_case` the only one that differs by ASCII case
/// alone.
const sdk::Value* find_member(const sdk::Value& object, std::string_view name, bool fold_case);

/// The item an index selects, or null.
inline const sdk::Value* find_item(const sdk::Value& array, std::int64_t index) noexcept {
  if (!array.is_array())
    return nullptr;
  const auto size = static_cast<std::int64_t>(array.size());
  const std::int64_t at = index < 0 ? size + index : index;
  return at >= 0 && at < size ? &array.items()[static_cast<std::size_t>(at)] : nullptr;
}

/// `text` between single quotes as normalized paths write it.
void append_normalized_name(std::string& out, std::string_view text);

}  // namespace millrace::dsl::jsonpath
