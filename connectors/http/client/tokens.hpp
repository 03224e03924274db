// Tokens: OAuth2 access tokens by client credentials (RFC 6749, section 4.4), fetched when one is
// needed, kept until shortly before they expire, and fetched once for all who wait.
#pragma once

#include "connectors/http/client/courier.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/server.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::http {

/// On the loop.
class Tokens : public std::enable_shared_from_this<Tokens> {
public:
  using Then = std::function<void(const sdk::Result<std::string>&)>;

  Tokens(std::weak_ptr<CurlDriver> driver, std::shared_ptr<const Route> route,
         sdk::SecurityScheme scheme)
    : driver_{std::move(driver)}, route_{std::move(route)}, scheme_{std::move(scheme)} {}

  /// Calls `then` with a token that is good, now or when it has come.
  void get(Then then);

  /// The server does not take `token`: it is not given out again.
  void refused(const std::string& token);

private:
  void fetch();
  void on_result(const Courier::Result& result);

  const std::weak_ptr<CurlDriver> driver_;
  const std::shared_ptr<const Route> route_;
  const sdk::SecurityScheme scheme_;
  std::string token_;
  sdk::Instant good_until_;
  std::vector<Then> waiting_;
};

/// What a token server answers: the token, and for how long it is good.
struct TokenAnswer {
  std::string token;
  std::chrono::seconds lifetime{0};
};

sdk::Result<TokenAnswer> parse_token_answer(const CallReply& reply, const std::string& scheme);

}  // namespace millrace::http
