#include "runtime/read_file.hpp"

#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/system_error.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace millrace::runtime {

sdk::Result<std::string> read_descriptor(int fd, const std::string& name, std::size_t limit) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= limit) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0)
      return text;
    if (got > 0)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    else if (errno != EINTR)
      return sdk::system_error("cannot read " + name, errno);
  }
  return sdk::Error{sdk::ErrorKind::config,
                    name + " is larger than " + std::to_string(limit) + " bytes"};
}

sdk::Result<std::string> read_file(const std::string& path, std::size_t limit) {
  const auto name = "'" + path + "'";
  const sdk::Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file)
    return sdk::system_error("cannot open " + name, errno);
  return read_descriptor(file.get(), name, limit);
}

}  // namespace millrace::runtime
