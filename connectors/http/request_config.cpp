#include "connectors/http/request_config.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <charconv>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;

constexpr unsigned first_error = 400;

bool is_status_pattern(const std::string& text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() == 3 && text[0] >= '1' && text[0] <= '5'
         && ((is_digit(text[1]) && is_digit(text[2])) || text.ends_with("xx"));
}

void read_retry(sdk::ConfigReader& in, CallRules& rules) {
  in.optional("attempts", rules.attempts, "In total");
  in.check(rules.attempts >= 1 && rules.attempts <= 1000, "attempts", "between 1 and 1000");
  in.optional("base", rules.base, "Longest first wait; doubles each time");
  in.optional("cap", rules.cap, "Longest wait, unless the server asks for a longer one");
  in.check(rules.base >= 0ms && rules.base <= rules.cap, "base", "no longer than cap");
  std::vector<std::string> statuses{"429", "502", "503", "504"};
  in.optional("statuses", statuses, "Answers that are worth another try");
  rules.statuses.clear();
  for (const auto& text : statuses) {
    unsigned status = 0;
    std::from_chars(text.data(), text.data() + text.size(), status);
    in.check(status >= first_error && status <= 599, "statuses", "numbers from 400 to 599");
    rules.statuses.push_back(status);
  }
  in.optional("unsafe", rules.retry_unsafe,
              "Also POST and PATCH where the first try may have been carried out");
}

}  // namespace

bool is_accepted(const std::vector<std::string>& accept, unsigned status) {
  const auto text = std::to_string(status);
  return status < first_error || std::ranges::any_of(accept, [&](const std::string& one) {
           return one == text || (one.ends_with("xx") && one.front() == text.front());
         });
}

void read_config(sdk::ConfigReader& in, RequestConfig& out) {
  out.server = in.server<HttpServer>("http", "A server of protocol http; default: the only one");
  in.optional("method", out.method, "GET, POST, PUT, PATCH, DELETE, …");
  out.method = sdk::upper(out.method);
  in.check(is_token(out.method) && out.method != "CONNECT", "method", "the name of a method");
  in.text_template("path", out.path,
                   "Path behind the server's url, with a slash in front; ${$.…} in it is encoded",
                   true, sdk::TextUse::url);
  in.expressions("query", out.query, "Fields of the query; null sends none, a list several");
  in.expressions("headers", out.headers, "Headers by name; null sends none, a list several");
  for (const auto& [name, value] : out.headers)
    in.check(is_token(name), "headers", "a mapping whose names are names of headers");
  in.optional("body", out.body, "What to send; default: nothing");
  in.choice<BodyFormat>("format", out.format,
                        {{"json", BodyFormat::json},
                         {"text", BodyFormat::text},
                         {"form", BodyFormat::form},
                         {"bytes", BodyFormat::bytes}},
                        "How the body is written");
  in.choice<ResponseFormat>("responseFormat|response_format", out.response_format,
                            {{"byType", ResponseFormat::by_type},
                             {"json", ResponseFormat::json},
                             {"text", ResponseFormat::text},
                             {"bytes", ResponseFormat::bytes}},
                            "How the response's body is taken; byType: as its Content-Type says");
  in.optional("accept", out.accept,
              "Statuses from 400 on that are results and no failures: [404, 4xx]");
  for (const auto& status : out.accept)
    in.check(is_status_pattern(status), "accept", "statuses as 404, or classes as 4xx");
  in.optional("tryTimeout|try_timeout", out.rules.try_timeout, "How long one try may take");
  in.check(out.rules.try_timeout > 0ms, "tryTimeout", "longer than 0ms");
  in.optional("totalTimeout|total_timeout", out.rules.timeout,
              "How long all tries may take, with the waits between them");
  in.check(out.rules.timeout > 0ms, "totalTimeout", "longer than 0ms");
  in.section("retry", "What is tried again",
             [&](sdk::ConfigReader& nested) { read_retry(nested, out.rules); });
  in.optional("redirects", out.rules.redirects, "Most redirects that are followed");
  in.check(out.rules.redirects <= 50, "redirects", "50 or less");
  sdk::ByteSize most{out.rules.max_response};
  in.optional("maxResponse|max_response", most, "Largest response, unpacked");
  out.rules.max_response = most.bytes;
}

}  // namespace millrace::http
