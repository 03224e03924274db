// What `millrace eval sql` shows: a statement as it would be sent to PostgreSQL.
//
//   eval_sql("SELECT ? < ?", Value::array({1, "currentdatetime()"}));   // {"SELECT $1 <
//   CURRENT_TIMESTAMP", 1}
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::dsl {

struct EvaluatedSql {
  std::string sql;
  std::size_t binds = 0;  // parameters that travel beside it
};

/// `parameters` is a list, a mapping for `:name`, or missing, which binds every placeholder. An
/// entry that is the text of a driver's literal counts as one, as in a file.
/// @returns kind `execution` with the reason where the statement or the parameters would be
/// refused.
sdk::Result<EvaluatedSql> eval_sql(std::string_view text,
                                   const std::optional<sdk::Value>& parameters);

}  // namespace millrace::dsl
