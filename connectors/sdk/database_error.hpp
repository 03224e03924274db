// The four errors of a database as exceptions, for callers who prefer them. Nothing of ours throws
// one by itself: `value_or_throw` does, where a caller asks for it.
//
//   try {
//     SqlResult orders = value_or_throw(db.execute("SELECT …"));
//   } catch (const DatabaseTimeoutError& error) {
//     log(error.error().code());
//   }
#pragma once

#include "connectors/sdk/error.hpp"
#include "connectors/sdk/result.hpp"

#include <exception>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace millrace::sdk {

/// What any of them is; thrown itself for errors of the other kinds (`config`, `overloaded`, …).
class DatabaseError : public std::runtime_error {
public:
  explicit DatabaseError(Error error)
    : std::runtime_error{error.to_string()}, error_{std::move(error)} {}

  const Error& error() const noexcept { return error_; }

private:
  Error error_;
};

/// The server cannot be reached, refuses the user, or the connection was lost.
class DatabaseConnectionError : public DatabaseError {
public:
  using DatabaseError::DatabaseError;
  static constexpr auto kind = ErrorKind::connection;
};

/// The statement itself is refused: syntax, types, constraints, permissions, counts of parameters.
class DatabaseExecutionError : public DatabaseError {
public:
  using DatabaseError::DatabaseError;
  static constexpr auto kind = ErrorKind::execution;
};

/// A limit of time has passed: of the pool, of the statement, of a lock.
class DatabaseTimeoutError : public DatabaseError {
public:
  using DatabaseError::DatabaseError;
  static constexpr auto kind = ErrorKind::timeout;
};

/// A conflict with another transaction, or a misuse of begin, commit and rollback.
class DatabaseTransactionError : public DatabaseError {
public:
  using DatabaseError::DatabaseError;
  static constexpr auto kind = ErrorKind::transaction;
};

/// Whether an error is one of the four: `is<DatabaseTimeoutError>(result.error())`.
template <class E>
bool is(const Error& error) noexcept {
  return error.kind() == E::kind;
}

/// Throws the type that belongs to its kind.
[[noreturn]] void throw_error(const Error& error);

/// What `result` holds; else throws its error.
template <class T>
T value_or_throw(Result<T> result) {
  if (!result)
    throw_error(result.error());
  if constexpr (!std::is_void_v<T>)
    return *std::move(result);
}

/// The first DatabaseError in an exception and what is nested in it; null where there is none.
const Error* find_database_error(const std::exception& exception) noexcept;

}  // namespace millrace::sdk
