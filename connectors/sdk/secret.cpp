#include "connectors/sdk/secret.hpp"

#include <cstddef>
#include <fstream>

namespace millrace::sdk {

namespace {

constexpr std::size_t most_bytes = std::size_t{1024} * 1024;

}  // namespace

std::string Secret::current() const {
  if (file_.empty())
    return text_;
  std::ifstream file{file_, std::ios::binary};
  std::string text(most_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto got = static_cast<std::size_t>(file.gcount());
  if (file.bad() || got == 0 || got > most_bytes)
    return text_;
  text.resize(got);
  if (text.ends_with('\n'))
    text.pop_back();
  if (text.ends_with('\r'))
    text.pop_back();
  return text;
}

}  // namespace millrace::sdk
