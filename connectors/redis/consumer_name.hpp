// Who we are among those who read the same stream or list.
#pragma once

#include <array>
#include <string>
#include <unistd.h>

namespace millrace::redis {

/// `given`, or the name of this machine: the same after a restart, so that what was under way comes
/// back to us.
inline std::string consumer_name(const std::string& given) {
  if (!given.empty())
    return given;
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == '\0')
    return "millrace";
  return name.data();
}

}  // namespace millrace::redis
