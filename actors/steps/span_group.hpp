// SpanGroup: a transaction that goes out as one group of statements (dsl/span_steps.hpp). Its first
// step sends them all and puts the results on the record; each of its steps takes its own from
// there. Where the group did not happen the record takes a session instead, and so fails, if it
// does, at the guilty step and with the outputs of those before it.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/steps/statement_maker.hpp"
#include "connectors/sdk/record.hpp"
#include "dsl/program.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace millrace::actors {

/// What a group came to.
enum class GroupEnd : std::uint8_t {
  committed,
  nothing_happened,  // a statement was refused: only a session tells which, and what came before
  not_begun,         // the server cannot be reached
  unknown,           // it was sent, and nobody knows whether it was committed
};

/// The results of a group, for the steps of its span.
class GroupAttachment final : public sdk::Attachment {
public:
  /// Per statement, in the order of SpanGroup::statements; empty where the outcome is unknown.
  struct Results {
    std::vector<sdk::Result<sdk::SqlResult>> all;
    std::optional<sdk::Error> unknown;
  };

  explicit GroupAttachment(std::shared_ptr<const Results> results) : results_{std::move(results)} {}

  std::unique_ptr<sdk::Attachment> share() const override {
    return std::make_unique<GroupAttachment>(results_);
  }

  const Results& results() const noexcept { return *results_; }

private:
  std::shared_ptr<const Results> results_;
};

/// What the group of span `span` gave, or null where the record has a session or nothing.
inline const GroupAttachment::Results* group_of(const sdk::Record& record, std::uint32_t span) {
  const auto* attachment = dynamic_cast<const GroupAttachment*>(record.attachment(span));
  return attachment ? &attachment->results() : nullptr;
}

/// @param end committed or unknown; the results are taken out of `reply`.
std::unique_ptr<GroupAttachment> attachment_of(GroupEnd end, ExecuteReply& reply);

class SpanGroup {
public:
  /// @param span 0 for none.
  SpanGroup(const dsl::PipelineProgram& pipeline, std::uint32_t span, const dsl::Program& program);

  /// Whether the span is one.
  bool exists() const noexcept { return !makers_.empty(); }

  sdk::Status prepare();

  /// All of a record. @returns why a parameter could not be evaluated.
  sdk::Result<std::vector<sdk::Statement>> statements(const sdk::Record& record);

  /// The place of a step's first statement.
  std::size_t offset_of(const dsl::StepProgram& step) const;

  static GroupEnd end_of(const ExecuteReply& reply);

private:
  std::vector<const dsl::StepProgram*> steps_;
  std::vector<StatementMaker> makers_;  // of the steps
  bool writes_ = false;
  std::size_t server_ = 0;
};

}  // namespace millrace::actors
