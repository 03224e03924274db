// RequestParser: bytes to requests, one after the other. Strict where leniency lets requests be
// smuggled past a proxy in front (RFC 9112, section 11.2): what it refuses ends the connection.
//
//   parser.feed(bytes);               // what came; kept until it is used
//   switch (parser.step()) {
//   case RequestParser::Step::need_more: … read on
//   case RequestParser::Step::head: … parser.head(); parser.limit_body(1 << 20);
//   case RequestParser::Step::complete: … parser.take_body(); parser.next();
//   case RequestParser::Step::refused: … parser.status(), parser.reason()
//   }
#pragma once

#include "connectors/http/head_scanner.hpp"
#include "connectors/http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::http {

class RequestParser {
public:
  enum class Step : std::uint8_t { need_more, head, complete, refused };

  /// @param head_limit most bytes of a head.
  explicit RequestParser(std::size_t head_limit);
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser();

  void feed(std::string_view bytes) { buffer_.append(bytes); }

  Step step();

  /// Valid from `head` until `next`.
  const RequestHead& head() const noexcept { return head_; }

  /// To be called at `head`: a longer body is refused with 413.
  void limit_body(std::uint64_t bytes);

  /// Whether anything of the present request has come.
  bool has_begun() const noexcept { return !buffer_.empty() || at_body_; }

  /// Bytes that came behind the present request.
  std::size_t buffered() const noexcept { return buffer_.size(); }

  std::string take_body();

  /// On to the next request.
  void next();

  unsigned status() const noexcept { return status_; }

  const std::string& reason() const noexcept { return reason_; }

private:
  struct Beast;

  Step read_head();
  Step read_body();
  Step refuse(unsigned status, std::string reason);
  bool take_head();

  const std::size_t head_limit_;
  std::string buffer_;
  HeadScanner scanner_;
  std::unique_ptr<Beast> beast_;
  RequestHead head_;
  bool at_body_ = false;
  unsigned status_ = 400;
  std::string reason_;
};

}  // namespace millrace::http
