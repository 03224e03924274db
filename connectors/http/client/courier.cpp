#include "connectors/http/client/courier.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

namespace millrace::http {
namespace {

using std::chrono::milliseconds;

struct UrlFree {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
    return {};
  std::string copy{text};
  curl_free(text);
  return copy;
}

std::string origin_of(const std::string& text) {
  const std::unique_ptr<CURLU, UrlFree> url{curl_url()};
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    return {};
  return sdk::lower(part_of(url.get(), CURLUPART_SCHEME) + "://"
                    + part_of(url.get(), CURLUPART_HOST) + ":"
                    + part_of(url.get(), CURLUPART_PORT));
}

// What a stranger may see of a call that was meant for somebody else.
bool is_harmless(const std::string& name) {
  constexpr std::array names{"accept",     "accept-language", "content-type",
                             "user-agent", "traceparent",     "tracestate"};
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool is_same_origin(const std::string& a, const std::string& b) {
  const auto origin = origin_of(a);
  return !origin.empty() && origin == origin_of(b);
}

Courier::Courier(std::weak_ptr<CurlDriver> driver, std::shared_ptr<const Route> route,
                 const CallRules& rules, Call call, Done done)
  : driver_{std::move(driver)},
    route_{std::move(route)},
    rules_{rules},
    call_{std::move(call)},
    done_{std::move(done)},
    plan_{rules_, call_.method, std::random_device{}()} {
}

void Courier::run() {
  began_ = sdk::system_clock().now();
  attempt();
}

milliseconds Courier::passed() const {
  return std::chrono::duration_cast<milliseconds>(sdk::system_clock().now() - began_);
}

void Courier::attempt() {
  const auto driver = driver_.lock();
  if (!driver)
    return;
  ++tries_;
  const auto left = std::max(rules_.timeout - passed(), milliseconds{1});
  transfer_ = std::make_unique<Transfer>(*route_, call_, std::min(rules_.try_timeout, left),
                                         rules_.max_response);
  transfer_->start(*driver, [self = shared_from_this()](Transfer::Outcome outcome) {
    self->on_outcome(std::move(outcome));
  });
}

void Courier::on_outcome(Transfer::Outcome outcome) {
  if (!outcome.redirect.empty() && rules_.redirects > 0) {
    if (redirect(outcome.redirect, outcome.reply.status)) {
      --tries_;
      attempt();
      return;
    }
    outcome.failure = CallFailure::bad_redirect;
    outcome.reason = redirects_ >= rules_.redirects
                       ? "more than " + std::to_string(rules_.redirects) + " redirects"
                       : "a redirect to something else than http or https";
    finish(std::move(outcome));
    return;
  }
  const auto wait = outcome.failure
                      ? plan_.after(*outcome.failure, tries_, passed())
                      : plan_.after(outcome.reply, tries_, passed(), sdk::system_clock().wall());
  if (!wait) {
    finish(std::move(outcome));
    return;
  }
  if (const auto driver = driver_.lock())
    driver->loop().after(*wait, [self = shared_from_this()] { self->attempt(); });
}

// RFC 9110, section 15.4. @returns whether it may be followed.
bool Courier::redirect(const std::string& to, unsigned status) {
  if (redirects_ >= rules_.redirects || !(to.starts_with("http://") || to.starts_with("https://")))
    return false;
  ++redirects_;
  const bool to_get = status == 303 || ((status == 301 || status == 302) && call_.method == "POST");
  if (to_get && call_.method != "HEAD") {
    call_.method = "GET";
    call_.body.clear();
    call_.has_body = false;
    std::erase_if(call_.headers, [](const auto& one) { return one.first == "content-type"; });
  }
  // Credentials and cookies were meant for the first one; nor do they go from TLS to plain text.
  if (!is_same_origin(call_.url, to))
    std::erase_if(call_.headers, [](const auto& one) { return !is_harmless(one.first); });
  call_.url = to;
  return true;
}

void Courier::finish(Transfer::Outcome outcome) {
  Result result;
  result.unknown = outcome.failure && plan_.is_unknown(*outcome.failure);
  result.outcome = std::move(outcome);
  result.tries = tries_;
  done_(std::move(result));
}

}  // namespace millrace::http
