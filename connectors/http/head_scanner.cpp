#include "connectors/http/head_scanner.hpp"

namespace millrace::http {

HeadScanner::Found HeadScanner::scan(std::string_view bytes) noexcept {
  const auto refuse = [this](const char* why) {
    mistake_ = why;
    return Found::mistake;
  };
  while (at_ < bytes.size()) {
    const char c = bytes[at_++];
    if (after_cr_) {
      if (c != '\n')
        return refuse("a line ends in a bare CR");
      after_cr_ = false;
      if (line_ == 0)
        return Found::end;
      line_ = 0;
    } else if (c == '\r') {
      after_cr_ = true;
    } else if (c == '\n') {
      return refuse("a line ends in a bare LF");
    } else if (c == '\0') {
      return refuse("the head holds NUL");
    } else if (line_ == 0 && (c == ' ' || c == '\t')) {
      return refuse("a header is folded over two lines");
    } else {
      ++line_;
    }
  }
  return Found::nothing_yet;
}

}  // namespace millrace::http
