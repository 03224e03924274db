// TransactionState: what may be done in a session next, by what was done before. Pure.
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/session_verb.hpp"
#include "connectors/sdk/statement.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::sdk {

class TransactionState {
public:
  enum class Phase : std::uint8_t {
    fresh,  // BEGIN has not been sent: it travels with the first statement
    open,
    failed,  // only a rollback helps, of all or to a savepoint
    ended,
  };

  Phase phase() const noexcept { return phase_; }

  /// Why `verb` cannot be done; `sql` is the text of an execute.
  std::optional<Error> refusal(SessionVerb verb, std::string_view sql) const;

  void begun() noexcept { phase_ = Phase::open; }

  /// What came back. @returns the result as the caller should see it: a COMMIT that the server
  /// answered with ROLLBACK is an error.
  Result<SqlResult> finished(SessionVerb verb, std::string_view sql, Result<SqlResult> result);

  void end() noexcept { phase_ = Phase::ended; }

private:
  Phase phase_ = Phase::fresh;
};

}  // namespace millrace::sdk
