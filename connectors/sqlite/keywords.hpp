// What can be told from a statement's words: whether there is a second one, its command, its tag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::sqlite {

/// Nothing but white space, comments and semicolons.
bool is_blank(std::string_view sql);

/// The keyword that says what the statement does, in capitals: "INSERT" also behind a WITH.
std::string main_keyword(std::string_view sql);

/// @param changes what the connection says of its last writing statement.
std::optional<std::int64_t> row_count(std::string_view keyword, std::size_t rows, bool has_columns,
                                      int changes);

/// A tag as PostgreSQL gives it: "SELECT 3", "INSERT 0 1", "CREATE TABLE".
std::string command_tag(std::string_view keyword, std::string_view sql,
                        std::optional<std::int64_t> rowcount);

}  // namespace millrace::sqlite
