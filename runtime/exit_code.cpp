#include "runtime/exit_code.hpp"

namespace millrace::runtime {

ExitCode exit_code_of(const sdk::Error& error) noexcept {
  switch (error.kind()) {
  case sdk::ErrorKind::config:
  case sdk::ErrorKind::expression:
    return ExitCode::config;
  case sdk::ErrorKind::connection:
  case sdk::ErrorKind::timeout:
  case sdk::ErrorKind::overloaded:
    return ExitCode::unavailable;
  case sdk::ErrorKind::io:
    return ExitCode::io;
  case sdk::ErrorKind::crash:
  case sdk::ErrorKind::internal:
    return ExitCode::internal;
  case sdk::ErrorKind::cancelled:
    return ExitCode::unfinished;
  case sdk::ErrorKind::data:
  case sdk::ErrorKind::execution:
  case sdk::ErrorKind::transaction:
  case sdk::ErrorKind::failed:
    return ExitCode::failed;
  }
  return ExitCode::internal;
}

}  // namespace millrace::runtime
