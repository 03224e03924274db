#include "connectors/sdk/config_node.hpp"

#include <algorithm>

namespace millrace::sdk {

namespace {

constexpr std::size_t shown_bytes = 40;

// The beginning of a long text, cut between characters.
std::string shorten(const std::string& text) {
  if (text.size() <= shown_bytes)
    return text;
  std::size_t end = shown_bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end) + "…";
}

}  // namespace

const ConfigNode* ConfigNode::find(std::string_view key) const noexcept {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &found->value;
}

std::size_t ConfigNode::find_template(std::size_t from) const noexcept {
  for (auto at = text.find("${", from); at != std::string::npos; at = text.find("${", at + 1)) {
    if (!std::ranges::binary_search(literal_dollars, static_cast<std::uint32_t>(at)))
      return at;
  }
  return std::string::npos;
}

bool ConfigNode::holds_secret() const noexcept {
  return secret || std::ranges::any_of(items, &ConfigNode::holds_secret)
         || std::ranges::any_of(entries,
                                [](const Entry& entry) { return entry.value.holds_secret(); });
}

std::string ConfigNode::describe() const {
  switch (kind) {
  case Kind::null:
    return "nothing";
  case Kind::scalar:
    return secret ? "<secret>" : "'" + shorten(text) + "'";
  case Kind::sequence:
    return "a list";
  case Kind::mapping:
    return "a mapping";
  }
  return "nothing";
}

void merge_over(ConfigNode& base, const ConfigNode& over) {
  if (!base.is_mapping() || !over.is_mapping()) {
    base = over;
    return;
  }
  for (const auto& entry : over.entries) {
    const auto found = std::ranges::find(base.entries, entry.key, &ConfigNode::Entry::key);
    if (found == base.entries.end())
      base.entries.push_back(entry);
    else
      merge_over(found->value, entry.value);
  }
}

}  // namespace millrace::sdk
