// Any text through the SQL lexer, the placeholder rewriting and the script splitter. What is
// accepted must hold its promises: tokens cover the text, a rewritten statement reads the same
// again.
#include "connectors/sdk/sql/placeholder.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

void check_tokens(std::string_view sql) {
  const auto tokens = millrace::sdk::sql::tokenize(sql);
  if (!tokens)
    return;
  std::size_t end = 0;
  for (const auto& token : *tokens) {
    require(token.offset == end && !token.text.empty());
    end += token.text.size();
  }
  require(end == sql.size());
}

void check_rewriting(std::string_view sql) {
  using namespace millrace::sdk::sql;  // NOLINT(google-build-using-namespace)
  const auto statement = parse_statement(sql);
  if (!statement)
    return;
  const std::vector<DriverLiteral> bound(statement->parameter_count);
  const auto sent = rewrite(*statement, bound, Dialect::postgres);
  require(sent && sent->binds.size() == statement->parameter_count);
  // The operators that came from `??` and `%%` may read as placeholders the second time.
  if (sql.find("??") != std::string_view::npos || sql.find("%%") != std::string_view::npos)
    return;
  const auto again = parse_statement(sent->sql);
  require(again && again->parameter_count == statement->parameter_count);
  require(rewrite(*again, bound, Dialect::postgres)->sql == sent->sql);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string sql(reinterpret_cast<const char*>(data), size);
  check_tokens(sql);
  check_rewriting(sql);
  (void)millrace::sdk::sql::split_statements(sql);
  return 0;
}
