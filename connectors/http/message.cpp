#include "connectors/http/message.hpp"

#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>

namespace millrace::http {
namespace {

struct Reason {
  unsigned status;
  std::string_view text;
};

// RFC 9110, section 15, and RFC 6585.
constexpr std::array reasons{
  Reason{200, "OK"},
  Reason{201, "Created"},
  Reason{202, "Accepted"},
  Reason{203, "Non-Authoritative Information"},
  Reason{204, "No Content"},
  Reason{205, "Reset Content"},
  Reason{206, "Partial Content"},
  Reason{300, "Multiple Choices"},
  Reason{301, "Moved Permanently"},
  Reason{302, "Found"},
  Reason{303, "See Other"},
  Reason{304, "Not Modified"},
  Reason{307, "Temporary Redirect"},
  Reason{308, "Permanent Redirect"},
  Reason{400, "Bad Request"},
  Reason{401, "Unauthorized"},
  Reason{402, "Payment Required"},
  Reason{403, "Forbidden"},
  Reason{404, "Not Found"},
  Reason{405, "Method Not Allowed"},
  Reason{406, "Not Acceptable"},
  Reason{408, "Request Timeout"},
  Reason{409, "Conflict"},
  Reason{410, "Gone"},
  Reason{411, "Length Required"},
  Reason{412, "Precondition Failed"},
  Reason{413, "Content Too Large"},
  Reason{414, "URI Too Long"},
  Reason{415, "Unsupported Media Type"},
  Reason{417, "Expectation Failed"},
  Reason{418, "I'm a teapot"},
  Reason{421, "Misdirected Request"},
  Reason{422, "Unprocessable Content"},
  Reason{423, "Locked"},
  Reason{425, "Too Early"},
  Reason{426, "Upgrade Required"},
  Reason{428, "Precondition Required"},
  Reason{429, "Too Many Requests"},
  Reason{431, "Request Header Fields Too Large"},
  Reason{451, "Unavailable For Legal Reasons"},
  Reason{500, "Internal Server Error"},
  Reason{501, "Not Implemented"},
  Reason{502, "Bad Gateway"},
  Reason{503, "Service Unavailable"},
  Reason{504, "Gateway Timeout"},
  Reason{505, "HTTP Version Not Supported"},
  Reason{507, "Insufficient Storage"},
};

bool frames_the_message(std::string_view name) noexcept {
  return name == "content-length" || name == "transfer-encoding" || name == "connection"
         || name == "date" || name == "keep-alive" || name == "upgrade" || name == "trailer";
}

// RFC 9110, section 5.6.7; made once a second.
const std::string& date_line() {
  thread_local std::time_t made = 0;
  thread_local std::string line;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  if (now != made) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    std::array<char, 64> text{};
    const auto size = std::strftime(text.data(), text.size(), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
                                    &parts);
    line.assign(text.data(), size);
    made = now;
  }
  return line;
}

bool is_same(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, sdk::to_lower, sdk::to_lower);
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

}  // namespace

const std::string* find_header(const Headers& headers, std::string_view name) noexcept {
  const auto found = std::ranges::find_if(headers,
                                          [&](const auto& one) { return one.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

bool has_token(std::string_view list, std::string_view token) noexcept {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (is_same(trimmed(list.substr(0, comma)), token))
      return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

bool takes_gzip(std::string_view accepted) {
  for (std::string_view rest = accepted; !rest.empty();) {
    const auto comma = std::min(rest.find(','), rest.size());
    const auto coding = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    const auto name = essence_of(coding);
    if (name != "gzip" && name != "*")
      continue;
    // "q=0", "q=0.0", "q=0.00": not at all.
    const auto weight = coding.find("q=");
    return weight == std::string_view::npos
           || coding.substr(weight + 2).find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

std::string essence_of(std::string_view value) {
  return sdk::lower(trimmed(value.substr(0, value.find(';'))));
}

std::string_view reason_of(unsigned status) noexcept {
  const auto* found = std::ranges::find(reasons, status, &Reason::status);
  return found == reasons.end() ? std::string_view{} : found->text;
}

std::string serialized(const Response& response, const ResponseFrame& frame) {
  std::string out;
  out.reserve(256 + response.body.size());
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_of(response.status)).append("\r\n").append(date_line());
  for (const auto& [name, value] : response.headers) {
    if (!frames_the_message(name))
      out.append(name).append(": ").append(value).append("\r\n");
  }
  // RFC 9110, section 8.6: no length where there can be no body.
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!bodiless)
    out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  if (frame.close)
    out.append("Connection: close\r\n");
  else if (frame.old_client)
    out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
  if (frame.with_body && !bodiless)
    out.append(response.body);
  return out;
}

Response problem(unsigned status, std::string_view detail, std::string_view request_id) {
  Response response;
  response.status = status;
  response.headers.emplace_back("content-type", "application/problem+json");
  auto body = sdk::Value::object(
    {{"title", sdk::Value{reason_of(status)}}, {"status", sdk::Value{status}}});
  if (!detail.empty())
    body.set("detail", sdk::Value{detail});
  if (!request_id.empty())
    body.set("requestId", sdk::Value{request_id});
  response.body = sdk::to_json(body);
  return response;
}

}  // namespace millrace::http
