// The tokens of a statement that are not blank, and what can be told of their neighbourhood.
//
//   const auto items = without_blanks(tokens);
//   behind_casts(items, 1);      // of `SELECT $1::numeric(3, 1) FROM t`: the FROM
#pragma once

#include "connectors/sdk/sql/lexer.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::dsl {

using Items = std::vector<const sdk::sql::SqlToken*>;

Items without_blanks(std::span<const sdk::sql::SqlToken> tokens);

bool is_any(const sdk::sql::SqlToken& token,
            std::initializer_list<std::string_view> words) noexcept;

bool is_name(const sdk::sql::SqlToken& token) noexcept;

/// Behind `at` (a parameter, a constant, a parenthesis): the end of the casts on it.
std::size_t behind_casts(const Items& items, std::size_t at);

/// Whether a parameter is a column of its own, which then takes its name from what it is written
/// as: in set form that would be another one.
bool names_a_column(const Items& items);

}  // namespace millrace::dsl
