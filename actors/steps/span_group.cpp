#include "actors/steps/span_group.hpp"

#include "actors/steps/database_result.hpp"
#include "dsl/span_steps.hpp"

#include <utility>

namespace millrace::actors {

std::unique_ptr<GroupAttachment> attachment_of(GroupEnd end, ExecuteReply& reply) {
  auto results = std::make_shared<GroupAttachment::Results>();
  if (end == GroupEnd::unknown)
    results->unknown = *guilty_of(reply);
  else
    results->all = std::move(reply.results);
  return std::make_unique<GroupAttachment>(std::move(results));
}

SpanGroup::SpanGroup(const dsl::PipelineProgram& pipeline, std::uint32_t span,
                     const dsl::Program& program) {
  steps_ = dsl::grouped_steps(pipeline, span);
  if (steps_.empty())
    return;
  server_ = pipeline.spans[span - 1].server;
  makers_.reserve(steps_.size());
  for (const auto* step : steps_) {
    const auto& call = std::get<dsl::DatabaseCall>(step->body);
    makers_.emplace_back(call, program);
    writes_ = writes_ || (!call.statements.empty() && !call.read_only && !call.idempotent);
  }
}

sdk::Status SpanGroup::prepare() {
  for (auto& maker : makers_) {
    if (auto prepared = maker.prepare(); !prepared)
      return prepared;
  }
  return {};
}

sdk::Result<std::vector<sdk::Statement>> SpanGroup::statements(const sdk::Record& record) {
  std::vector<sdk::Statement> all;
  for (auto& maker : makers_) {
    for (std::size_t number = 0; number < maker.count(); ++number) {
      auto made = maker.make(server_, number, record);
      if (!made)
        return std::move(made).error();
      sdk::Statement statement;
      statement.sql = made->text->sql();
      statement.sets = {std::move(made->parameters)};
      statement.options.secret = maker.is_secret();
      // Where nothing in it writes, a lost answer may be asked for again.
      statement.options.idempotent = !writes_;
      all.push_back(std::move(statement));
    }
  }
  return all;
}

std::size_t SpanGroup::offset_of(const dsl::StepProgram& step) const {
  std::size_t offset = 0;
  for (std::size_t i = 0; i < steps_.size() && steps_[i] != &step; ++i)
    offset += makers_[i].count();
  return offset;
}

GroupEnd SpanGroup::end_of(const ExecuteReply& reply) {
  const auto* guilty = guilty_of(reply);
  if (!guilty)
    return GroupEnd::committed;
  if (guilty->outcome_unknown())
    return GroupEnd::unknown;
  return guilty->kind() == sdk::ErrorKind::connection ? GroupEnd::not_begun
                                                      : GroupEnd::nothing_happened;
}

}  // namespace millrace::actors
