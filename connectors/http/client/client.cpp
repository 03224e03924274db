#include "connectors/http/client/client.hpp"

#include "connectors/http/client/courier.hpp"
#include "connectors/http/client/tokens.hpp"
#include "connectors/http/target.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/base64.hpp"

#include <utility>

namespace millrace::http {
namespace {

using sdk::ErrorKind;
using sdk::KeyPlace;
using sdk::SchemeType;

constexpr unsigned unauthorized = 401;

sdk::Error to_error(const HttpServer& server, const std::string& what,
                    const Courier::Result& result) {
  const auto failure = *result.outcome.failure;
  auto kind = ErrorKind::connection;
  sdk::Error::Detail detail;
  detail.retryable = failure == CallFailure::unreachable;
  detail.outcome_unknown = result.unknown;
  detail.attempts = result.tries;
  // curl's words may quote the address.
  std::string reason = server.url.is_secret() || server.proxy.is_secret() ? std::string{}
                                                                          : result.outcome.reason;
  switch (failure) {
  case CallFailure::unreachable:
    detail.hint = "is the server running, and the address right?";
    break;
  case CallFailure::broken:
    detail.retryable = !result.unknown;
    break;
  case CallFailure::timeout:
    kind = ErrorKind::timeout;
    detail.retryable = !result.unknown;
    reason = "no answer in time";
    break;
  case CallFailure::not_trusted:
    kind = ErrorKind::config;
    detail.hint = "'tls' of the server says whom we trust (ca) and who we are (certificate, key)";
    break;
  case CallFailure::too_long:
    kind = ErrorKind::data;
    reason = "the response is longer than maxResponse";
    break;
  case CallFailure::bad_redirect:
    kind = ErrorKind::data;
    break;
  case CallFailure::cancelled:
    kind = ErrorKind::cancelled;
    break;
  }
  return {kind,
          what + " at server '" + server.name + "' failed" + (reason.empty() ? "" : ": ") + reason,
          std::move(detail)};
}

class CurlClient final : public Client, public std::enable_shared_from_this<CurlClient> {
public:
  CurlClient(const HttpServer& server, sdk::Reactor& reactor)
    : server_{server},
      loop_{reactor.loop()},
      route_{std::make_shared<const Route>(
        Route{server.tls, server.proxy, server.connect_timeout, server.http2})} {}

  CurlClient(const CurlClient&) = delete;
  CurlClient& operator=(const CurlClient&) = delete;

  ~CurlClient() override {
    // curl's handles end where they lived.
    loop_.post([driver = std::move(driver_)]() mutable { driver.reset(); });
  }

  void call(Call call, const CallRules& rules, std::string what, Done done) override {
    loop_.post([self = shared_from_this(), call = std::move(call), rules, what = std::move(what),
                done = std::move(done)]() mutable {
      self->open();
      self->authorize(std::move(call), rules, what, done, true);
    });
  }

private:
  void open() {
    if (driver_)
      return;
    driver_ = CurlDriver::make(loop_, static_cast<long>(server_.max_calls));
    for (const auto& scheme : server_.schemes) {
      if (scheme.type == SchemeType::oauth2)
        tokens_ = std::make_shared<Tokens>(driver_, route_, scheme);
    }
  }

  void authorize(Call call, const CallRules& rules, const std::string& what, const Done& done,
                 bool first) {
    for (const auto& scheme : server_.schemes) {
      if (first)
        add_credentials(call, scheme);
    }
    if (!tokens_) {
      send(std::move(call), rules, what, done, {});
      return;
    }
    tokens_->get([self = shared_from_this(), call = std::move(call), rules, what, done,
                  first](const sdk::Result<std::string>& token) mutable {
      if (!token) {
        done(token.error());
        return;
      }
      auto plain = first ? std::optional{call} : std::nullopt;
      call.headers.emplace_back("authorization", "Bearer " + *token);
      self->send(std::move(call), rules, what, done,
                 [self, plain = std::move(plain), rules, what, done, token = *token]() mutable {
                   self->tokens_->refused(token);
                   if (!plain)
                     return false;
                   self->authorize(std::move(*plain), rules, what, done, false);
                   return true;
                 });
    });
  }

  static void add_credentials(Call& call, const sdk::SecurityScheme& scheme) {
    switch (scheme.type) {
    case SchemeType::user_password:
      call.headers.emplace_back(
        "authorization",
        "Basic " + sdk::to_base64(scheme.username.reveal() + ":" + scheme.password.current()));
      break;
    case SchemeType::bearer:
      call.headers.emplace_back("authorization", "Bearer " + scheme.token.current());
      break;
    case SchemeType::api_key:
      if (scheme.key_place == KeyPlace::header)
        call.headers.emplace_back(sdk::lower(scheme.key_name), scheme.token.current());
      else if (scheme.key_place == KeyPlace::cookie)
        call.headers.emplace_back("cookie", scheme.key_name + "=" + scheme.token.current());
      else
        call.url += (call.url.find('?') == std::string::npos ? "?" : "&")
                    + percent_encoded(scheme.key_name) + "="
                    + percent_encoded(scheme.token.current());
      break;
    default:
      break;
    }
  }

  /// @param on_401 @returns whether the call is made once more.
  void send(Call call, const CallRules& rules, const std::string& what, const Done& done,
            std::function<bool()> on_401) {
    std::make_shared<Courier>(
      driver_, route_, rules, std::move(call),
      [self = shared_from_this(), what, done, on_401 = std::move(on_401)](Courier::Result result) {
        if (result.outcome.failure)
          done(to_error(self->server_, what, result));
        else if (result.outcome.reply.status != unauthorized || !on_401 || !on_401())
          done(std::move(result.outcome.reply));
      })
      ->run();
  }

  const HttpServer server_;
  sdk::EventLoop& loop_;
  const std::shared_ptr<const Route> route_;
  std::shared_ptr<CurlDriver> driver_;
  std::shared_ptr<Tokens> tokens_;
};

}  // namespace

std::shared_ptr<Client> Client::make(const HttpServer& server, sdk::Reactor& reactor) {
  return std::make_shared<CurlClient>(server, reactor);
}

}  // namespace millrace::http
