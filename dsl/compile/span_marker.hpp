// SpanMarker: walks the steps of one pipeline with the transactions that are open before each,
// marks what belongs to them, and refuses what no transaction can run. The walk stands in
// spans.cpp, the rules in span_rules.cpp.
#pragma once

#include "dsl/compile/pipeline_compiler.hpp"

#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace millrace::dsl {

class SpanMarker {
public:
  SpanMarker(PipelineDraft& draft, const std::vector<PipelineDraft>& all,
             const std::vector<ServerProgram>& servers, sdk::Diagnostics& diagnostics)
    : draft_{draft}, all_{all}, servers_{servers}, diagnostics_{diagnostics} {}

  /// @returns the steps that run inside a transaction.
  std::unordered_set<const StepProgram*> mark();

private:
  struct OpenSpan {
    std::uint32_t id = 0;
    bool block = false;                // of a `transaction` step, which ends it itself
    std::set<std::string> savepoints;  // made so far
  };

  // The open transactions, by server.
  using Open = std::map<std::size_t, OpenSpan>;

  std::string server_name(std::size_t server) const { return servers_[server].name; }

  Span& span_of(const OpenSpan& open) { return draft_.program.spans[open.id - 1]; }

  Open walk(StepList& steps, Open open);
  Open visit(StepProgram& step, Open open);
  Open visit_call(StepProgram& step, DatabaseCall& call, Open open);
  Open visit_begin(StepProgram& step, DatabaseCall& call, Open open);
  Open visit_end(StepProgram& step, DatabaseCall& call, Open open);
  void visit_savepoint(const StepProgram& step, const DatabaseCall& call, OpenSpan& open);
  Open visit_block(StepProgram& step, TransactionBlock& block, Open open);
  Open visit_switch(StepProgram& step, Switch& choice, const Open& open);
  void note_difference(const StepProgram& step, std::size_t server, const OpenSpan& span,
                       const std::vector<Open>& ends);
  Open visit_foreach(StepProgram& step, Foreach& each, Open open);
  void walk_error_steps(StepList& steps);
  void walk_rule(const ErrorRule& rule);

  void begin(const StepProgram& step, std::size_t server, bool block, bool implicit, Open& open);
  void check_rules(const StepProgram& step, const Open& open);
  void refuse_condition(const StepProgram& step, const std::string& what);
  void must_match(const StepProgram& step, const Open& before, const Open& after,
                  const std::string& where);
  void check_pipeline_call(const StepProgram& step, const CallPipeline& call, const Open& open);
  void refuse_inside(const StepProgram& step, const Open& open, const std::string& what,
                     const std::string& why, const std::string& remedy = {});
  std::string names(const Open& open);
  void refuse_open(const Open& left);
  void refuse_inner(const StepProgram& step, std::size_t server, const OpenSpan& around);
  void refuse(const StepProgram& step, std::string message, std::string hint);

  PipelineDraft& draft_;
  const std::vector<PipelineDraft>& all_;
  const std::vector<ServerProgram>& servers_;
  sdk::Diagnostics& diagnostics_;
  std::unordered_set<const StepProgram*> implicit_;
  std::unordered_set<const StepProgram*> inside_;
  std::map<std::uint32_t, sdk::Place> opened_at_;
  std::set<std::pair<const StepProgram*, std::size_t>> reported_;
  bool reported_continue_ = false;
  bool in_error_steps_ = false;
};

}  // namespace millrace::dsl
