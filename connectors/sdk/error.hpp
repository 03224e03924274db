// The one error type: what went wrong, whether trying again can help, and what to do about it.
//
//   return Error{ErrorKind::io, "cannot open 'in.jsonl'", {.hint = "check the path", .code =
//   "ENOENT"}};
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::sdk {

/// What `onError.match` names, and what metrics are labelled with.
enum class ErrorKind : std::uint8_t {
  config,       // a mistake in what the user wrote
  data,         // the record cannot be read or converted
  expression,   // an expression could not be evaluated over the record
  io,           // a file, pipe or disk failed
  connection,   // DatabaseConnectionError, or any other peer that cannot be reached
  execution,    // DatabaseExecutionError: the statement itself is refused
  timeout,      // DatabaseTimeoutError, or any other limit of time that passed
  transaction,  // DatabaseTransactionError: conflict, or a misuse of begin, commit and rollback
  overloaded,   // a bounded queue is full
  cancelled,    // stopped before it was done
  crash,        // the step died over this record
  failed,       // a `fail` step said so
  internal,     // a bug of ours
};

/// The lower-case name that users write: "timeout".
std::string_view to_string(ErrorKind kind) noexcept;

/// @returns the kind of that name, or false where there is none.
bool parse_error_kind(std::string_view name, ErrorKind& kind) noexcept;

/// Cheap to copy (the text is shared). Messages help and never hold passwords, DSNs, parameter
/// values or a server's DETAIL.
class Error {
public:
  struct Detail {
    std::string hint{};            // what to do about it; may be empty
    std::string code{};            // SQLSTATE or errno name; may be empty
    std::string constraint{};      // name of the violated constraint; may be empty
    bool retryable = false;        // trying again later can help, and cannot do harm
    bool outcome_unknown = false;  // it may have happened; nobody can tell
    std::uint32_t attempts = 1;    // how often it was tried
  };

  Error(ErrorKind kind, std::string message);
  Error(ErrorKind kind, std::string message, Detail detail);

  ErrorKind kind() const noexcept { return body_->kind; }

  const std::string& message() const noexcept { return body_->message; }

  const std::string& hint() const noexcept { return body_->detail.hint; }

  const std::string& code() const noexcept { return body_->detail.code; }

  const std::string& constraint() const noexcept { return body_->detail.constraint; }

  bool retryable() const noexcept { return body_->detail.retryable; }

  bool outcome_unknown() const noexcept { return body_->detail.outcome_unknown; }

  std::uint32_t attempts() const noexcept { return body_->detail.attempts; }

  const Detail& detail() const noexcept { return body_->detail; }

  /// The same error after so many attempts.
  Error with_attempts(std::uint32_t attempts) const;

  /// The same without the words, for a text that is secret: they may quote it.
  Error masked() const;

  /// "timeout 57014: canceling statement due to statement timeout; hint".
  std::string to_string() const;

private:
  struct Body {
    ErrorKind kind;
    std::string message;
    Detail detail;
  };

  std::shared_ptr<const Body> body_;
};

}  // namespace millrace::sdk
