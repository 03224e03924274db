// BulkRows: many rows for one table, written in one go by what a driver has for that (PostgreSQL:
// COPY).
//
//   sdk::Statement load{.sql = "COPY readings"};       // names it in messages
//   load.bulk = std::make_shared<sdk::BulkRows>(…);    // only in a session: all rows, or none
#pragma once

#include "connectors/sdk/statement.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace millrace::sdk {

struct BulkRows {
  std::string table;                                   // as it stands in SQL: quoted
  std::vector<std::string> columns;                    // the same
  std::shared_ptr<const std::vector<Parameters>> all;  // each has a value per column
  std::size_t first = 0;                               // of those in `all`, the ones that are meant
  std::size_t count = 0;

  std::span<const Parameters> rows() const noexcept {
    return std::span{*all}.subspan(first, count);
  }
};

}  // namespace millrace::sdk
