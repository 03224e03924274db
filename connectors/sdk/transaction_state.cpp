#include "connectors/sdk/transaction_state.hpp"

#include "connectors/sdk/sql/classify.hpp"
#include "connectors/sdk/sql/lexer.hpp"

#include <string>
#include <utility>

namespace millrace::sdk {

namespace {

Error misuse(std::string message, std::string hint, std::string code) {
  return {
    ErrorKind::transaction, std::move(message), {.hint = std::move(hint), .code = std::move(code)}};
}

std::string first_words(std::string_view sql, int count) {
  std::string words;
  const auto tokens = sql::tokenize(sql);
  if (!tokens)
    return words;
  for (const auto& token : *tokens) {
    if (token.is_blank())
      continue;
    if (token.kind != sql::SqlTokenKind::word || count-- == 0)
      break;
    for (const char c : token.text)
      words += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    words += ' ';
  }
  return words;
}

bool rolls_back_to(std::string_view sql) {
  const auto words = first_words(sql, 3);
  return words.starts_with("ROLLBACK TO ") || words.starts_with("ROLLBACK WORK TO ")
         || words.starts_with("ROLLBACK TRANSACTION TO ");
}

}  // namespace

std::optional<Error> TransactionState::refusal(SessionVerb verb, std::string_view sql) const {
  if (phase_ == Phase::ended)
    return misuse("the transaction has ended: nothing more can be done in it", "begin a new one",
                  "25P01");
  if (verb == SessionVerb::commit || verb == SessionVerb::rollback
      || verb == SessionVerb::rollback_to)
    return std::nullopt;
  const bool back_to = verb == SessionVerb::execute && rolls_back_to(sql);
  if (verb == SessionVerb::execute && !back_to) {
    const auto words = first_words(sql, 1);
    if (words == "BEGIN " || words == "START ")
      return misuse("a transaction is already open", "use a savepoint", "25001");
    if (words == "COMMIT " || words == "END " || words == "ROLLBACK " || words == "ABORT ")
      return misuse("the transaction is ended by its own operation, not by a statement's text",
                    "use commit or rollback", "2D000");
  }
  if (phase_ == Phase::failed && !back_to)
    return misuse(
      "the transaction has failed, and takes no more statements until it is rolled back",
      "roll back, or roll back to a savepoint", "25P02");
  return std::nullopt;
}

Result<SqlResult> TransactionState::finished(SessionVerb verb, std::string_view sql,
                                             Result<SqlResult> result) {
  const bool had_failed = phase_ == Phase::failed;
  switch (verb) {
  case SessionVerb::commit:
    phase_ = Phase::ended;
    if (result && (had_failed || result->command == "ROLLBACK"))
      return misuse(
        "nothing was committed: the transaction had failed, and the server rolled it back",
        "look at the first error in it", "25P02");
    return result;
  case SessionVerb::rollback:
    phase_ = Phase::ended;
    return result;
  default:
    break;
  }
  if (!result)
    phase_ = Phase::failed;
  else if (verb == SessionVerb::rollback_to
           || (verb == SessionVerb::execute && phase_ == Phase::failed && rolls_back_to(sql)))
    phase_ = Phase::open;
  return result;
}

}  // namespace millrace::sdk
