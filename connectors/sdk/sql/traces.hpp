// What a statement leaves behind in its connection, and how it may be shown.
#pragma once

#include <string>
#include <string_view>

namespace millrace::sdk::sql {

/// Whether the next user of the connection might notice it: settings, temporary tables, prepared
/// names, locks of the session. What a function does that the statement calls stays unseen.
bool leaves_traces(std::string_view sql);

/// For logs: the statement with `?` in place of every string and number in it.
std::string without_values(std::string_view sql);

}  // namespace millrace::sdk::sql
