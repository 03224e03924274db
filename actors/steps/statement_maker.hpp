// StatementMaker: what a database step asks of which server, per record. Texts are made once for
// each driver; dynamic ones (allowDynamicSql) are kept in a small cache.
#pragma once

#include "actors/steps/bound_sql.hpp"
#include "connectors/sdk/record.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"
#include "dsl/program.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace millrace::actors {

/// One statement of one record.
struct MadeStatement {
  const BoundSql* text =
    nullptr;  // lives as long as the maker, and the same for all records that share it
  sdk::Parameters parameters;
};

class StatementMaker {
public:
  /// Both outlive it.
  StatementMaker(const dsl::DatabaseCall& call, const dsl::Program& program)
    : call_{call}, program_{program} {}

  /// Makes the texts. @returns the mistake where text and parameters do not fit.
  sdk::Status prepare();

  /// Index in Program::servers. @returns kind `expression` where the record names none of them.
  sdk::Result<std::size_t> server_of(const sdk::Record& record) const;

  /// How many statements a record has.
  std::size_t count() const noexcept { return call_.dynamic_sql ? 1 : call_.statements.size(); }

  sdk::Result<MadeStatement> make(std::size_t server, std::size_t number,
                                  const sdk::Record& record);

  /// Whether its texts came from outside.
  bool is_secret() const noexcept { return call_.secret; }

  /// What may be said of an error that the database answered: nothing that quotes a secret text.
  sdk::Error shown(sdk::Error error) const {
    return call_.secret ? error.masked() : std::move(error);
  }

private:
  static constexpr std::size_t most_dynamic_texts = 256;

  sdk::Result<const BoundSql*> dynamic_text(sdk::sql::Dialect dialect, const sdk::Record& record);

  const dsl::DatabaseCall& call_;
  const dsl::Program& program_;
  std::vector<std::vector<BoundSql>> texts_;  // by Dialect, then by statement
  std::unordered_map<std::string, std::unique_ptr<BoundSql>> dynamic_;
  std::vector<std::unique_ptr<BoundSql>>
    retired_;  // left the cache while records of the same batch may use them
};

/// The way a server's driver writes SQL.
sdk::sql::Dialect dialect_of(const dsl::ServerProgram& server) noexcept;

}  // namespace millrace::actors
