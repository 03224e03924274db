// SessionAttachment: the open transaction that a record carries. It is rolled back when the record
// goes with it still open, in whatever way.
#pragma once

#include "actors/db/database_handle.hpp"
#include "connectors/sdk/record.hpp"
#include "dsl/program.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace millrace::actors {

class SessionAttachment final : public sdk::Attachment {
public:
  /// @param ended called once, from any thread, when the record has let go of it; may be empty.
  SessionAttachment(SessionHandle session, std::function<void()> ended)
    : session_{std::move(session)}, ended_{std::move(ended)} {}

  SessionAttachment(const SessionAttachment&) = delete;
  SessionAttachment& operator=(const SessionAttachment&) = delete;

  ~SessionAttachment() override {
    if (ended_)
      ended_();
  }

  /// Items of a foreach run their statements in the transaction of their record.
  std::unique_ptr<sdk::Attachment> share() const override {
    return std::make_unique<SessionAttachment>(session_, nullptr);
  }

  const SessionHandle& session() const noexcept { return session_; }

private:
  SessionHandle session_;
  std::function<void()> ended_;
};

/// The open transaction of span `span`, or null.
inline const SessionHandle* session_of(const sdk::Record& record, std::uint32_t span) {
  const auto* attachment = dynamic_cast<const SessionAttachment*>(record.attachment(span));
  return attachment ? &attachment->session() : nullptr;
}

/// What the DSL says of a transaction, as the pool takes it.
sdk::TransactionOptions pool_options(const dsl::TransactionOptions& options,
                                     const dsl::PipelineProgram& pipeline,
                                     const dsl::StepProgram& step);

}  // namespace millrace::actors
