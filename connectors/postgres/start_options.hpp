// What a connection is opened with, besides its address.
#pragma once

#include "connectors/sdk/database_settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::postgres {

using Keywords = std::vector<std::pair<std::string, std::string>>;

/// libpq's keywords for one host at one address (empty: libpq's own choice).
Keywords start_options(const sdk::DatabaseSettings& settings, const sdk::DatabaseHost& host,
                       std::string_view address, std::string_view session_attributes);

/// Whether libpq knows the keyword.
bool is_keyword(std::string_view name);

}  // namespace millrace::postgres
