// Reads one expression from the text of a scalar: a path, a call, or a literal within one.
#pragma once

#include "dsl/expression/expression_nodes.hpp"
#include "dsl/expression/text_cursor.hpp"

#include <functional>
#include <memory>
#include <set>

namespace millrace::dsl {

class ExpressionReader {
public:
  using Compiled = std::shared_ptr<CompiledExpression>;

  /// All must outlive the reader; the slots that are read go into `reads`. @param secret the text
  /// holds something that no message may show.
  ExpressionReader(TextCursor& cursor, const CompileContext& context, RootNamesPtr names,
                   std::set<sdk::Slot>& reads, bool secret)
    : in_{cursor},
      context_{context},
      names_{std::move(names)},
      reads_{reads},
      masked_{secret},
      secret_{secret} {}

  /// @returns null after it has noted a mistake at the cursor. Blanks around it stay.
  Compiled read();

  /// A path, with what it gives where it selects nothing or several.
  Compiled path(Missing missing);

  /// Whether the text is secret, or env() was among what was read.
  bool is_secret() const noexcept { return secret_; }

private:
  static constexpr int max_depth = 32;

  Compiled argument(const FunctionInfo& function, std::size_t index);
  Compiled call();
  Compiled finish_call(const FunctionInfo& function, std::size_t start,
                       std::vector<sdk::ExpressionPtr> arguments);
  Compiled environment(const std::vector<sdk::ExpressionPtr>& arguments, std::size_t start);
  bool check_kind(const FunctionInfo& function, std::size_t index,
                  const CompiledExpression& argument, std::size_t position);
  Compiled with_text(Compiled expression, std::size_t start);

  TextCursor& in_;
  const CompileContext& context_;
  RootNamesPtr names_;
  std::set<sdk::Slot>& reads_;
  int depth_ = 0;
  bool masked_;  // no part of the text may be shown
  bool secret_;
};

/// Whether `text` is `name(…)` and nothing behind it.
bool looks_like_call(std::string_view text);

}  // namespace millrace::dsl
