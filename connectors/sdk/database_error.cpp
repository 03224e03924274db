#include "connectors/sdk/database_error.hpp"

namespace millrace::sdk {

void throw_error(const Error& error) {
  switch (error.kind()) {
  case ErrorKind::connection:
    throw DatabaseConnectionError{error};
  case ErrorKind::execution:
    throw DatabaseExecutionError{error};
  case ErrorKind::timeout:
    throw DatabaseTimeoutError{error};
  case ErrorKind::transaction:
    throw DatabaseTransactionError{error};
  default:
    throw DatabaseError{error};
  }
}

const Error* find_database_error(const std::exception& exception) noexcept {
  if (const auto* found = dynamic_cast<const DatabaseError*>(&exception))
    return &found->error();
  const auto* wrapper = dynamic_cast<const std::nested_exception*>(&exception);
  if (wrapper == nullptr || !wrapper->nested_ptr())
    return nullptr;
  // The nested one lives as long as its wrapper does.
  try {
    std::rethrow_exception(wrapper->nested_ptr());
  } catch (const std::exception& nested) {
    return find_database_error(nested);
  } catch (...) {
    return nullptr;
  }
}

}  // namespace millrace::sdk
