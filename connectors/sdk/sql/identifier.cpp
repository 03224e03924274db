#include "connectors/sdk/sql/identifier.hpp"

namespace millrace::sdk::sql {

std::string quote_identifier(std::string_view name) {
  std::string quoted{'"'};
  for (const char c : name) {
    if (c == '"')
      quoted += c;
    quoted += c;
  }
  return quoted += '"';
}

}  // namespace millrace::sdk::sql
