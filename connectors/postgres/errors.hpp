// The server's and libpq's words as our errors. DETAIL, CONTEXT and the query never get out: they
// hold values.
#pragma once

#include "connectors/postgres/handles.hpp"
#include "connectors/sdk/database.hpp"
#include "connectors/sdk/error.hpp"

#include <string_view>

namespace millrace::postgres {

/// What a result of the status FATAL_ERROR says.
sdk::Error to_error(const PGresult* result);

/// The same of an entry of its own: the values of its parameters are not shown.
sdk::Error to_error(const PGresult* result, const sdk::WireEntry& entry);

/// Whether the server ends the connection with it (severity FATAL or PANIC).
bool ends_connection(const PGresult* result) noexcept;

/// Whether it is libpq's own word on a connection that broke, not the server's on a statement.
bool is_broken_connection(const PGresult* result) noexcept;

/// Whether a cached plan or a prepared statement is stale: nothing ran, and preparing it anew
/// helps.
bool is_stale_statement(const PGresult* result) noexcept;

/// Whether it finds fault with names or types (class 42): where a prepared statement says so, they
/// have changed since.
bool blames_schema(const PGresult* result) noexcept;

/// Whether a value does not fit a type: its own fault, or the statement was prepared for a type
/// that its parameter has no more.
bool blames_values(const PGresult* result) noexcept;

/// Whether the server asks for the types of parameters that it cannot infer.
bool wants_types(const PGresult* result) noexcept;

/// Why a connection could not be made; read from the message that libpq writes with verbose errors.
sdk::Error connect_error(std::string_view message);

/// The same without what the server and libpq say of host, user and database.
sdk::Error without_address(const sdk::Error& error);

/// Why a connection that was up is gone.
sdk::Error loss_error(const PGconn* connection);

}  // namespace millrace::postgres
