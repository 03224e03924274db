// Secret: text that goes to the connector that needs it and is printed nowhere.
#pragma once

#include <string>
#include <utility>

namespace millrace::sdk {

/// Prints as "<secret>" wherever it is formatted; only `reveal` gives the text.
class Secret {
public:
  Secret() = default;

  explicit Secret(std::string text) : text_{std::move(text)} {}

  const std::string& reveal() const noexcept { return text_; }

  bool empty() const noexcept { return text_.empty(); }

  static const char* masked() noexcept { return "<secret>"; }

private:
  std::string text_;
};

}  // namespace millrace::sdk
