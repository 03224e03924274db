// The rules of a transaction, which the clients of the SDK follow too.
#pragma once

#include "actors/db/session_verb.hpp"
#include "connectors/sdk/transaction_state.hpp"

namespace millrace::actors::db {

using sdk::quote_identifier;
using sdk::TransactionState;

}  // namespace millrace::actors::db
