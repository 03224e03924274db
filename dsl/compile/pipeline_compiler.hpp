// PipelineCompiler: one pipeline of the document to its program. Knows which names can be seen at
// each step, and gives every output its slot.
#pragma once

#include "dsl/compile/catalogue.hpp"
#include "dsl/document.hpp"
#include "dsl/expression/context.hpp"
#include "dsl/program.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace millrace::dsl {

inline constexpr std::size_t max_steps = 2'000;  // of a pipeline

/// What the pipelines of a load share.
struct CompileInput {
  const Document& document;
  std::span<const sdk::Connector* const> connectors;
  const Environment& environment;
  const std::vector<ServerProgram>& servers;
  sdk::Diagnostics& diagnostics;
};

/// A compiled pipeline whose steps have only the error rules of their own.
struct PipelineDraft {
  PipelineProgram program;
  ErrorPolicy defaults;  // rules of the pipeline's `onError`
  sdk::Place defaults_place;
};

class PipelineCompiler final : public sdk::ExpressionCompiler {
public:
  PipelineCompiler(const CompileInput& input, const NamedNode& pipeline);

  PipelineDraft compile();

  // --- for the readers of steps

  const CompileInput& input() const noexcept { return input_; }

  sdk::Diagnostics& diagnostics() const noexcept { return input_.diagnostics; }

  /// Names given while it lives are forgotten at its end, and so is the last output.
  class Nested {
  public:
    explicit Nested(PipelineCompiler& pipeline);
    ~Nested();
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;

  private:
    PipelineCompiler& pipeline_;
    std::vector<SlotName> names_;
    sdk::Slot last_output_;
  };

  /// The steps of a list; what they put out can be seen until the end of the innermost Nested.
  StepList compile_list(const sdk::ConfigNode& list);

  /// As `compile_list` in a Nested of its own.
  StepList compile_nested(const sdk::ConfigNode& list);

  /// A slot that `name` stands for from here on.
  sdk::Slot add_slot(const std::string& name);

  /// From here on no earlier output can be seen: many records become one.
  void forget_outputs();

  /// The output before this step, or no_slot.
  sdk::Slot last_output() const noexcept { return last_output_; }

  /// What is seen as the output before the next step.
  void set_last_output(sdk::Slot slot) noexcept { last_output_ = slot; }

  /// What is in that slot, as an expression.
  sdk::ExpressionPtr whole_slot(sdk::Slot slot) const;

  /// Whether a step has that name already.
  bool is_step_name(const std::string& name) const { return step_places_.contains(name); }

  sdk::ExpressionPtr compile(const sdk::ConfigNode& node, sdk::Diagnostics& diagnostics) override;
  sdk::ExpressionPtr compile_text_for(sdk::TextUse use, const sdk::ConfigNode& node,
                                      sdk::Diagnostics& diagnostics) override;
  sdk::ConditionPtr compile_condition(const sdk::ConfigNode& node,
                                      sdk::Diagnostics& diagnostics) override;
  sdk::ServerPtr find_server(const sdk::ConfigNode* node, std::string_view protocol,
                             const sdk::Place& place, const std::string& owner,
                             sdk::Diagnostics& diagnostics) override;

private:
  void compile_source(const sdk::ConfigNode& node);
  void read_source(sdk::ConfigReader& in, const sdk::ConfigNode& node, const std::string& type,
                   const std::string& operation);
  std::unique_ptr<StepProgram> compile_step(const sdk::ConfigNode& node);
  void read_step(sdk::ConfigReader& in, StepProgram& step, const std::string& type,
                 const std::string& operation);
  bool read_connector_step(sdk::ConfigReader& in, StepProgram& step,
                           const sdk::Connector& connector, const std::string& operation);
  void refuse_operation(sdk::ConfigReader& in, const std::string& type,
                        const std::string& operation);
  void take_response(const sdk::ConfigNode* response, StepProgram& step, bool has_output);
  void compile_dead_letter(const sdk::ConfigNode& node);
  std::unique_ptr<StepProgram> dead_letter_shape();

  std::optional<sdk::ConfigNode> with_preset(const sdk::ConfigNode& node);
  std::string take_name(const sdk::ConfigNode& node, const std::string& type);
  void refuse_type(const sdk::ConfigNode& node, const std::string& type);
  ErrorPolicy compile_errors(const sdk::ConfigNode* node, bool dead_letter_allowed);
  ErrorRule compile_rule(const sdk::ConfigNode& node, bool dead_letter_allowed);
  void compile_match(const sdk::ConfigNode& node, std::vector<std::string>& match);
  sdk::Slot error_slot();
  sdk::Slot new_slot(const std::string& name);

  const CompileInput& input_;
  const NamedNode& pipeline_;
  PipelineDraft draft_;
  CompileContext context_;
  sdk::Slot last_output_ = sdk::no_slot;
  sdk::Slot error_slot_ = sdk::no_slot;
  sdk::Slot meta_slot_ = sdk::no_slot;
  bool has_dead_letter_ = false;
  std::size_t steps_ = 0;
  std::unordered_map<std::string, sdk::Place> step_places_;
  std::vector<SlotName> forgotten_;          // outputs of the top level before a `batch`
  std::vector<std::string> presets_in_use_;  // innermost last
  std::optional<std::size_t> found_server_;  // that the connector's step which is read asked for
};

/// The keys that every step has, read into `step`; `response` and `onError` come back as nodes.
struct CommonKeys {
  const sdk::ConfigNode* response = nullptr;
  const sdk::ConfigNode* on_error = nullptr;
};

void read_common_keys(sdk::ConfigReader& in, StepProgram& step, CommonKeys& keys);

/// Keys of `onError`; lists them too.
struct RuleKeys {
  bool has_retry = false;
  RetryPolicy retry{3, milliseconds{100}, milliseconds{10'000}};
  std::vector<std::string> match;
  ErrorAction then = ErrorAction::by_default;
  const sdk::ConfigNode* steps = nullptr;
};

void read_rule_keys(sdk::ConfigReader& in, RuleKeys& keys);

/// `retry: {attempts, base, cap}`.
void read_retry_keys(sdk::ConfigReader& in, RetryPolicy& retry);

}  // namespace millrace::dsl
