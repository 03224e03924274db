// A request as it was read, and an answer as it is to be written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::http {

/// Names in lower case, in the order of the message.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The first header of that name (in lower case), or null.
const std::string* find_header(const Headers& headers, std::string_view name) noexcept;

/// Whether the comma-separated `list` holds `token`, whatever the case.
bool has_token(std::string_view list, std::string_view token) noexcept;

/// Whether Accept-Encoding takes gzip (RFC 9110, section 12.5.3).
bool takes_gzip(std::string_view accepted);

/// A header's value without what follows a semicolon, in lower case: "application/json".
std::string essence_of(std::string_view value);

struct RequestHead {
  std::string method;
  std::string target;
  Headers headers;
  bool keep_alive = true;  // as the client asks for it
  bool is_http_1_0 = false;
  bool has_body = false;
  std::optional<std::uint64_t> content_length;  // none: there is no body, or it is chunked
};

struct Response {
  unsigned status = 200;
  Headers headers;  // beside those that frame the message
  std::string body;
};

/// "Not Found"; empty for a number without a name.
std::string_view reason_of(unsigned status) noexcept;

/// What of a response depends on its request.
struct ResponseFrame {
  bool close = false;       // the connection ends with it
  bool with_body = true;    // not for HEAD
  bool old_client = false;  // HTTP/1.0: keep-alive must be said
};

/// The whole message (RFC 9112). Headers of `response` that would frame it are left out.
std::string serialized(const Response& response, const ResponseFrame& frame);

/// A failure for the client, as problem details (RFC 9457). @param detail may be empty.
Response problem(unsigned status, std::string_view detail, std::string_view request_id = {});

}  // namespace millrace::http
