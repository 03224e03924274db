// What can be asked of a session; the SDK has it, since its own clients ask the same.
#pragma once

#include "connectors/sdk/session_verb.hpp"

namespace millrace::actors::db {

using sdk::SessionVerb;

}  // namespace millrace::actors::db
