#include "connectors/http/request_parser.hpp"

#include "connectors/sdk/ascii.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <optional>
#include <utility>

namespace millrace::http {
namespace {

namespace beast = boost::beast::http;

constexpr std::uint64_t most_body = std::uint64_t{1} << 40U;
constexpr std::size_t most_chunk_line = 4096;  // a chunk's size and extensions, or the trailer

std::optional<std::uint64_t> parse_length(std::string_view text) {
  std::uint64_t length = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, length);
  if (text.empty() || failure != std::errc{} || stop != end)
    return std::nullopt;
  return length;
}

}  // namespace

struct RequestParser::Beast {
  std::optional<beast::request_parser<beast::string_body>> parser;
};

RequestParser::RequestParser(std::size_t head_limit)
  : head_limit_{head_limit}, beast_{std::make_unique<Beast>()} {
}

RequestParser::~RequestParser() = default;

RequestParser::Step RequestParser::step() {
  return at_body_ ? read_body() : read_head();
}

RequestParser::Step RequestParser::refuse(unsigned status, std::string reason) {
  status_ = status;
  reason_ = std::move(reason);
  return Step::refused;
}

RequestParser::Step RequestParser::read_head() {
  // RFC 9112, section 2.2: empty lines in front of a request are passed over.
  while (scanner_.size() == 0 && buffer_.starts_with("\r\n"))
    buffer_.erase(0, 2);
  if (buffer_.empty() || (scanner_.size() == 0 && buffer_ == "\r"))
    return Step::need_more;
  const auto found = scanner_.scan(std::string_view{buffer_}.substr(0, head_limit_));
  if (found == HeadScanner::Found::mistake)
    return refuse(400, scanner_.mistake());
  if (found == HeadScanner::Found::nothing_yet) {
    if (buffer_.size() < head_limit_)
      return Step::need_more;
    const bool in_target = buffer_.find("\r\n") == std::string::npos;
    return refuse(in_target ? 414 : 431,
                  "the head is longer than " + std::to_string(head_limit_) + " bytes");
  }
  auto& parser = beast_->parser.emplace();
  parser.header_limit(static_cast<std::uint32_t>(scanner_.size() + 1));
  parser.body_limit(most_body);
  boost::system::error_code failure;
  parser.put(boost::asio::buffer(buffer_.data(), scanner_.size()), failure);
  buffer_.erase(0, scanner_.size());
  if (failure == beast::error::bad_version)
    return refuse(505, "this server speaks HTTP/1.1");
  if (failure)
    return refuse(400, failure.message());
  if (!parser.is_header_done())
    return refuse(400, "the head is broken");
  if (!take_head())
    return Step::refused;
  parser.eager(true);
  at_body_ = true;
  return Step::head;
}

// Who frames a message otherwise than we do sees another request behind it, so there is one way
// only.
bool RequestParser::take_head() {
  const auto& message = beast_->parser->get();
  head_ = {};
  head_.method = std::string{message.method_string()};
  head_.target = std::string{message.target()};
  head_.is_http_1_0 = message.version() == 10;
  std::size_t lengths = 0;
  std::size_t codings = 0;
  std::size_t hosts = 0;
  for (const auto& field : message) {
    auto name = sdk::lower({field.name_string().data(), field.name_string().size()});
    std::string value{field.value()};
    lengths += name == "content-length" ? 1U : 0U;
    codings += name == "transfer-encoding" ? 1U : 0U;
    hosts += name == "host" ? 1U : 0U;
    head_.headers.emplace_back(std::move(name), std::move(value));
  }
  if (lengths + codings > 1) {
    refuse(400, "the message has more than one length");
    return false;
  }
  if (hosts > 1 || (hosts == 0 && !head_.is_http_1_0)) {
    refuse(400, "a request has one Host");
    return false;
  }
  if (const auto* coding = find_header(head_.headers, "transfer-encoding")) {
    if (head_.is_http_1_0) {
      refuse(400, "HTTP/1.0 has no Transfer-Encoding");
      return false;
    }
    if (sdk::lower(*coding) != "chunked") {
      refuse(501, "no Transfer-Encoding but 'chunked' is known");
      return false;
    }
    head_.has_body = true;
  }
  if (const auto* length = find_header(head_.headers, "content-length")) {
    head_.content_length = parse_length(*length);
    if (!head_.content_length) {
      refuse(400, "Content-Length is no number");
      return false;
    }
    head_.has_body = *head_.content_length > 0;
  }
  const auto* connection = find_header(head_.headers, "connection");
  head_.keep_alive = head_.is_http_1_0 ? connection && has_token(*connection, "keep-alive")
                                       : !connection || !has_token(*connection, "close");
  return true;
}

void RequestParser::limit_body(std::uint64_t bytes) {
  beast_->parser->body_limit(bytes);
}

RequestParser::Step RequestParser::read_body() {
  auto& parser = *beast_->parser;
  // Beast 1.81 asserts that five bytes are there where the last chunk's head came in pieces. A
  // chunked body ends in at least so many, so that waiting for them holds nothing up.
  const std::size_t least = parser.chunked() ? 5 : 1;
  if (!parser.is_done() && buffer_.size() >= least) {
    boost::system::error_code failure;
    const auto used = parser.put(boost::asio::buffer(buffer_.data(), buffer_.size()), failure);
    buffer_.erase(0, used);
    if (failure == beast::error::body_limit)
      return refuse(413, "the body is longer than this route takes");
    if (failure && failure != beast::error::need_more)
      return refuse(400, failure.message());
    if (failure == beast::error::need_more && buffer_.size() > most_chunk_line)
      return refuse(400, "a chunk's head is too long");
  }
  return parser.is_done() ? Step::complete : Step::need_more;
}

std::string RequestParser::take_body() {
  return std::move(beast_->parser->get().body());
}

void RequestParser::next() {
  beast_->parser.reset();
  scanner_.reset();
  at_body_ = false;
}

}  // namespace millrace::http
