// Guard: whether a request may pass, by the security schemes of its server. Where there are
// several, one of them is enough.
#pragma once

#include "connectors/http/message.hpp"
#include "connectors/sdk/server.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::http {

class Guard {
public:
  explicit Guard(std::vector<sdk::SecurityScheme> schemes) : schemes_{std::move(schemes)} {}

  bool is_open() const noexcept { return schemes_.empty(); }

  /// Who it is: the user's name, or the name of the scheme. @returns nothing for a stranger.
  std::optional<std::string> check(const Headers& headers, std::string_view query) const;

  /// What `WWW-Authenticate` says to a stranger, one header each.
  std::vector<std::string> challenges() const;

  /// Takes the credentials out: they are no business of the pipeline.
  void strip(Headers& headers) const;

private:
  std::vector<sdk::SecurityScheme> schemes_;
};

}  // namespace millrace::http
