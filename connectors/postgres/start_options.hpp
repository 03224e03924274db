// What a connection is opened with, besides its address.
#pragma once

#include "connectors/postgres/handles.hpp"
#include "connectors/sdk/database_settings.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::postgres {

using Keywords = std::vector<std::pair<std::string, std::string>>;

/// libpq's keywords for one host at one address (empty: the settings' own, else libpq's choice).
Keywords start_options(const sdk::DatabaseSettings& settings, const sdk::DatabaseHost& host,
                       std::string_view address, std::string_view session_attributes);

/// Begins to connect; null where memory is out.
ConnectionPtr start_connection(const Keywords& keywords);

/// Whether libpq knows the keyword.
bool is_keyword(std::string_view name);

}  // namespace millrace::postgres
