// StatementReader: `query` and `parameters` of a database step to a BoundStatement.
#pragma once

#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/compile/pipeline_compiler.hpp"

#include <optional>

namespace millrace::dsl {

class StatementReader {
public:
  StatementReader(PipelineCompiler& pipeline, std::string owner)
    : pipeline_{pipeline}, owner_{std::move(owner)} {}

  /// Reads SQL that the user wrote. @returns nothing after a mistake.
  std::optional<BoundStatement> read(const sdk::ConfigNode& query,
                                     const sdk::ConfigNode* parameters);

  /// Parameters of a statement that is known per record only: a list.
  std::vector<Parameter> read_list(const sdk::ConfigNode& parameters);

  /// One entry: a literal of the driver, or an expression. @returns nothing after a mistake.
  std::optional<Parameter> read_entry(const sdk::ConfigNode& node, std::string name = {});

  /// The text alone. @returns null after a mistake.
  std::shared_ptr<const Statement> parse(const sdk::ConfigNode& query);

private:
  void read_names(const Statement& statement, const sdk::ConfigNode& parameters,
                  BoundStatement& bound);
  void missing_parameters(const Statement& statement, const sdk::ConfigNode& query);

  PipelineCompiler& pipeline_;
  std::string owner_;
};

}  // namespace millrace::dsl
