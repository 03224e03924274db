// Any bytes as HTTP requests: never a crash, what is framed does not depend on the pieces in which
// it came, and nothing is taken whose head others could read otherwise.
#include "connectors/http/request_parser.hpp"
#include "connectors/http/target.hpp"
#include "connectors/http/trace_context.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using millrace::http::RequestParser;

void require(bool condition) {
  if (!condition)
    std::abort();
}

// What was framed: "METHOD target body" of each request, and the status of a refusal.
std::vector<std::string> framed(std::string_view bytes, std::size_t piece) {
  RequestParser parser{4096};
  std::vector<std::string> all;
  for (std::size_t at = 0; at <= bytes.size(); at += piece) {
    parser.feed(bytes.substr(at, piece));
    for (bool more = true; more;) {
      switch (parser.step()) {
      case RequestParser::Step::need_more:
        more = false;
        break;
      case RequestParser::Step::head:
        parser.limit_body(4096);
        require(millrace::http::find_header(parser.head().headers, "host")
                || parser.head().is_http_1_0);
        static_cast<void>(millrace::http::take_trace(parser.head().headers));
        static_cast<void>(millrace::http::parse_target(parser.head().target));
        break;
      case RequestParser::Step::complete:
        all.push_back(parser.head().method + " " + parser.head().target + " " + parser.take_body());
        parser.next();
        break;
      case RequestParser::Step::refused:
        all.emplace_back("refused");
        return all;
      }
    }
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  // A refusal may come earlier or later by the pieces; what was taken before it is the same.
  const auto whole = framed(bytes, bytes.size() + 1);
  const auto pieces = framed(bytes, 1U + data[0] % 16U);
  for (std::size_t i = 0; i < std::min(whole.size(), pieces.size()); ++i)
    require(whole[i] == pieces[i]);
  if (const auto form = millrace::http::parse_form(bytes, 1000))
    require(form->is_object());
  return 0;
}
