#include "connectors/sdk/error.hpp"

#include <array>
#include <utility>

namespace millrace::sdk {

namespace {

constexpr std::array<std::string_view, 13> kind_names{
  "config",      "data",       "expression", "io",    "connection", "execution", "timeout",
  "transaction", "overloaded", "cancelled",  "crash", "failed",     "internal"};

}  // namespace

std::string_view to_string(ErrorKind kind) noexcept {
  return kind_names[static_cast<std::size_t>(kind)];
}

bool parse_error_kind(std::string_view name, ErrorKind& kind) noexcept {
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    if (kind_names[i] == name) {
      kind = static_cast<ErrorKind>(i);
      return true;
    }
  }
  return false;
}

Error::Error(ErrorKind kind, std::string message) : Error{kind, std::move(message), Detail{}} {
}

Error::Error(ErrorKind kind, std::string message, Detail detail)
  : body_{std::make_shared<const Body>(Body{kind, std::move(message), std::move(detail)})} {
}

Error Error::with_attempts(std::uint32_t attempts) const {
  auto detail = body_->detail;
  detail.attempts = attempts;
  return {kind(), message(), std::move(detail)};
}

Error Error::masked() const {
  auto detail = body_->detail;
  detail.hint.clear();
  detail.constraint.clear();
  std::string message = "what is wrong is not shown, since a part of the text is secret";
  if (!detail.code.empty())
    message += " (" + detail.code + ")";
  return {kind(), std::move(message), std::move(detail)};
}

std::string Error::to_string() const {
  std::string text{sdk::to_string(kind())};
  if (!code().empty())
    text.append(" ").append(code());
  text.append(": ").append(message());
  if (!hint().empty())
    text.append("; ").append(hint());
  return text;
}

}  // namespace millrace::sdk
