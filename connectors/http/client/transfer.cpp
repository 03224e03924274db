#include "connectors/http/client/transfer.hpp"

#include "connectors/sdk/ascii.hpp"

#include <utility>

namespace millrace::http {
namespace {

constexpr std::size_t most_headers = 256UL * 1024UL;

CallFailure failure_of(CURLcode result, long sent) {
  switch (result) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
  case CURLE_COULDNT_CONNECT:
    return CallFailure::unreachable;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_ISSUER_ERROR:
    return CallFailure::not_trusted;
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_URL_MALFORMAT:
    return CallFailure::bad_redirect;
  case CURLE_OPERATION_TIMEDOUT:
    return sent > 0 ? CallFailure::timeout : CallFailure::unreachable;
  default:
    return sent > 0 ? CallFailure::broken : CallFailure::unreachable;
  }
}

}  // namespace

Transfer::Transfer(const Route& route, const Call& call, std::chrono::milliseconds limit,
                   std::size_t max_response)
  : easy_{curl_easy_init()}, body_{call.body}, max_response_{max_response} {
  const auto set = [this](CURLoption option, auto value) {
    curl_easy_setopt(easy_, option, value);
  };
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, reason_.data());
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);  // redirects are ours: credentials stay where they belong
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(route.connect_timeout.count()));
  set(CURLOPT_HTTP_VERSION,
      static_cast<long>(route.http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  if (!route.proxy.empty())
    set(CURLOPT_PROXY, route.proxy.reveal().c_str());
  set_tls(route);
  if (call.method == "HEAD")
    set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_CUSTOMREQUEST, call.method.c_str());
  if (call.has_body) {
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
    set(CURLOPT_POSTFIELDS, body_.c_str());
  }
  for (const auto& [name, value] : call.headers) {
    std::string line = name;
    line.append(value.empty() ? ";" : ": ").append(value);  // curl's way to send an empty one
    headers_ = curl_slist_append(headers_, line.c_str());
  }
  headers_ = curl_slist_append(headers_, "Expect:");  // no waiting for "100 Continue"
  if (!find_header(call.headers, "user-agent"))
    set(CURLOPT_USERAGENT, "millrace");
  if (call.has_body && !find_header(call.headers, "content-type"))
    headers_ = curl_slist_append(headers_, "Content-Type:");
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
}

Transfer::~Transfer() {
  curl_easy_cleanup(easy_);
  curl_slist_free_all(headers_);
}

void Transfer::set_tls(const Route& route) {
  const auto& tls = route.tls;
  curl_easy_setopt(easy_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!tls.ca.empty())
    curl_easy_setopt(easy_, CURLOPT_CAINFO, tls.ca.reveal().c_str());
  if (!tls.certificate.empty()) {
    curl_easy_setopt(easy_, CURLOPT_SSLCERT, tls.certificate.reveal().c_str());
    curl_easy_setopt(easy_, CURLOPT_SSLKEY, tls.key.reveal().c_str());
    if (!tls.key_password.empty())
      curl_easy_setopt(easy_, CURLOPT_KEYPASSWD, tls.key_password.reveal().c_str());
  }
  if (!tls.verify) {
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
}

void Transfer::start(CurlDriver& driver, Done done) {
  driver.start(easy_, [this, done = std::move(done)](CURLcode result) {
    // `done` may end us.
    const auto call = done;
    call(outcome_of(result));
  });
}

Transfer::Outcome Transfer::outcome_of(CURLcode result) {
  Outcome outcome;
  if (result != CURLE_OK) {
    long sent = 0;
    curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &sent);
    outcome.failure = too_long_ ? CallFailure::too_long : failure_of(result, sent);
    outcome.reason = reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(result);
    return outcome;
  }
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  reply_.status = static_cast<unsigned>(status);
  const char* redirect = nullptr;
  curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect)
    outcome.redirect = redirect;
  outcome.reply = std::move(reply_);
  return outcome;
}

std::size_t Transfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  auto& body = transfer.reply_.body;
  if (body.size() + size * count > transfer.max_response_) {
    transfer.too_long_ = true;
    return 0;  // ends the transfer
  }
  body.append(bytes, size * count);
  return size * count;
}

std::size_t Transfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  auto& headers = transfer.reply_.headers;
  std::string_view line{bytes, size * count};
  if (line.starts_with("HTTP/")) {  // behind "100 Continue", or a proxy's own answer
    headers.clear();
    return line.size();
  }
  std::size_t held = line.size();
  for (const auto& [name, value] : headers)
    held += name.size() + value.size();
  if (held > most_headers) {
    transfer.too_long_ = true;
    return 0;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return size * count;
  auto value = line.substr(colon + 1);
  const auto first = value.find_first_not_of(" \t");
  const auto last = value.find_last_not_of(" \t\r\n");
  value = first == std::string_view::npos || last == std::string_view::npos
            ? std::string_view{}
            : value.substr(first, last - first + 1);
  headers.emplace_back(sdk::lower(line.substr(0, colon)), std::string{value});
  return size * count;
}

}  // namespace millrace::http
