// What can be asked of a session.
#pragma once

#include <cstdint>

namespace millrace::sdk {

enum class SessionVerb : std::uint8_t {
  execute,
  savepoint,
  rollback_to,
  release,
  commit,
  rollback
};

}  // namespace millrace::sdk
