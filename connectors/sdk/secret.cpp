#include "connectors/sdk/secret.hpp"

#include <fstream>
#include <optional>

namespace millrace::sdk {

namespace {

constexpr std::size_t most_bytes = std::size_t{1024} * 1024;

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::string text(most_bytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const auto got = static_cast<std::size_t>(file.gcount());
  if (file.bad() || got == 0 || got > most_bytes)
    return std::nullopt;
  text.resize(got);
  if (text.ends_with('\n'))
    text.pop_back();
  if (text.ends_with('\r'))
    text.pop_back();
  return text;
}

}  // namespace

Secret Secret::derived(std::string (*take)(const std::string& text)) const {
  Secret other{take(text_), parts_};
  other.whole_ = text_;
  other.take_ = take;
  return other;
}

std::string Secret::current() const {
  if (parts_.empty())
    return text_;
  const auto& before = take_ == nullptr ? text_ : whole_;
  std::string now;
  std::size_t at = 0;
  for (const auto& part : parts_) {
    now += before.substr(at, part.offset - at);
    now += content_of(part.path).value_or(before.substr(part.offset, part.length));
    at = part.offset + part.length;
  }
  now += before.substr(at);
  if (take_ == nullptr)
    return now;
  auto taken = take_(now);
  return taken.empty() ? text_ : taken;
}

}  // namespace millrace::sdk
