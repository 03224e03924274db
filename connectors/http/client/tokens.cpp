#include "connectors/http/client/tokens.hpp"

#include "connectors/http/target.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/base64.hpp"
#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <utility>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds default_lifetime{300};  // where the server does not say
constexpr std::chrono::seconds most_margin{30};        // before its end it counts as expired

sdk::Error no_token(const std::string& scheme, const std::string& why, bool retryable) {
  return {retryable ? sdk::ErrorKind::connection : sdk::ErrorKind::config,
          "no token for the security scheme '" + scheme + "': " + why,
          {.hint = retryable ? "" : "check tokenUrl, clientId, clientSecret and scopes",
           .retryable = retryable}};
}

}  // namespace

sdk::Result<TokenAnswer> parse_token_answer(const CallReply& reply, const std::string& scheme) {
  constexpr unsigned ok = 200;
  constexpr unsigned server_error = 500;
  if (reply.status != ok)
    return no_token(scheme, "the token server answered " + std::to_string(reply.status),
                    reply.status >= server_error || reply.status == 429);
  const auto body = sdk::parse_json(reply.body);
  const auto* token = body ? body->find("access_token") : nullptr;
  const auto* type = body ? body->find("token_type") : nullptr;
  if (!token || !token->is_string() || token->as_string().empty())
    return no_token(scheme, "the token server's answer has no access_token", false);
  if (type && type->is_string() && sdk::lower(type->as_string()) != "bearer")
    return no_token(scheme, "the token is no bearer token", false);
  TokenAnswer answer{std::string{token->as_string()}, default_lifetime};
  if (answer.token.find_first_of("\r\n") != std::string::npos)
    return no_token(scheme, "the token holds a line break", false);
  if (const auto* lifetime = body->find("expires_in"); lifetime && lifetime->is_number()) {
    constexpr double most = 30.0 * 24 * 3600;
    answer.lifetime = std::chrono::seconds{
      static_cast<std::int64_t>(std::clamp(lifetime->as_double(), 0.0, most))};
  }
  return answer;
}

void Tokens::get(Then then) {
  if (!token_.empty() && sdk::system_clock().now() < good_until_) {
    then(token_);
    return;
  }
  waiting_.push_back(std::move(then));
  if (waiting_.size() == 1)
    fetch();
}

void Tokens::refused(const std::string& token) {
  if (token == token_)
    token_.clear();
}

void Tokens::fetch() {
  Call call;
  call.method = "POST";
  call.url = scheme_.token_url.reveal();
  call.has_body = true;
  call.body = "grant_type=client_credentials";
  std::string scopes;
  for (const auto& scope : scheme_.scopes)
    scopes += (scopes.empty() ? "" : " ") + scope;
  if (!scopes.empty())
    call.body += "&scope=" + percent_encoded(scopes);
  // RFC 6749, section 2.3.1: both are form-encoded first.
  const auto pair = percent_encoded(scheme_.client_id.reveal()) + ":"
                    + percent_encoded(scheme_.client_secret.current());
  call.headers = {{"content-type", "application/x-www-form-urlencoded"},
                  {"accept", "application/json"},
                  {"authorization", "Basic " + sdk::to_base64(pair)}};
  CallRules rules;
  rules.retry_unsafe = true;  // a second token does no harm
  rules.redirects = 0;
  rules.max_response = 1024UL * 1024UL;
  std::make_shared<Courier>(
    driver_, route_, rules, std::move(call),
    [self = shared_from_this()](const Courier::Result& result) { self->on_result(result); })
    ->run();
}

void Tokens::on_result(const Courier::Result& result) {
  auto answer = result.outcome.failure
                  ? sdk::Result<TokenAnswer>{no_token(scheme_.name, result.outcome.reason, true)}
                  : parse_token_answer(result.outcome.reply, scheme_.name);
  if (answer) {
    token_ = answer->token;
    const std::chrono::seconds margin = std::min(most_margin, answer->lifetime / 10);
    good_until_ = sdk::system_clock().now() + answer->lifetime - margin;
  }
  const auto given = answer ? sdk::Result<std::string>{answer->token}
                            : sdk::Result<std::string>{std::move(answer).error()};
  for (const auto& then : std::exchange(waiting_, {}))
    then(given);
}

}  // namespace millrace::http
