#include "connectors/sdk/dsn_text.hpp"

#include "connectors/sdk/hex.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::sdk {

namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '.' || c == '_' || c == '~';
}

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class KeywordParser {
public:
  explicit KeywordParser(std::string_view text) : text_{text} {}

  KeywordString run() {
    skip_spaces();
    while (at_ < text_.size() && take_pair())
      skip_spaces();
    return std::move(out_);
  }

private:
  bool fail(std::size_t offset, std::string reason) {
    out_.problem = std::move(reason);
    out_.problem_offset = offset;
    return false;
  }

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_]))
      ++at_;
  }

  bool take_pair() {
    DsnKeyword pair{.name_offset = at_};
    const auto end = std::min(text_.find_first_of("= \t\n\r\f\v", at_), text_.size());
    pair.name = text_.substr(at_, end - at_);
    at_ = end;
    skip_spaces();
    if (at_ >= text_.size() || text_[at_] != '=')
      return fail(pair.name_offset, "a keyword without '='");
    if (pair.name.empty())
      return fail(at_, "a '=' without a keyword");
    ++at_;
    skip_spaces();
    pair.value_offset = at_;
    const bool whole = at_ < text_.size() && text_[at_] == '\'' ? take_quoted(pair.value)
                                                                : take_plain(pair.value);
    if (!whole)
      return fail(pair.value_offset, "a quoted value that does not end");
    out_.read.push_back(std::move(pair));
    return true;
  }

  bool take_plain(std::string& value) {
    for (; at_ < text_.size() && !is_space(text_[at_]); ++at_) {
      if (text_[at_] == '\\' && ++at_ == text_.size())
        break;
      value += text_[at_];
    }
    return true;
  }

  bool take_quoted(std::string& value) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\'') {
        ++at_;
        return true;
      }
      if (text_[at_] == '\\' && ++at_ == text_.size())
        break;
      value += text_[at_];
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  KeywordString out_;
};

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || high * 16 + low == 0)
      return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text, std::string_view keep) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c) || keep.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("%").append(1, digits[byte >> 4U]).append(1, digits[byte & 15U]);
  }
  return out;
}

std::vector<std::string_view> split_at(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::size_t> find_credentials_end(std::string_view rest) {
  const auto first = rest.find('@');
  if (first == std::string_view::npos || first > rest.find('/'))
    return std::nullopt;
  const auto host_end = std::min(rest.find_first_of("/?", first), rest.size());
  return rest.substr(0, host_end).rfind('@');
}

std::string format_query(const DsnParameters& parameters) {
  std::string out;
  for (const auto& [key, value] : parameters)
    out.append(out.empty() ? "?" : "&")
      .append(percent_encode(key))
      .append("=")
      .append(percent_encode(value));
  return out;
}

KeywordString parse_keyword_string(std::string_view text) {
  return KeywordParser{text}.run();
}

// PQconndefaults() of libpq 15; tests/connectors/postgres/dsn_libpq_test.cpp compares.
const std::vector<std::string_view>& postgres_keywords() {
  static const std::vector<std::string_view> keywords{"service",
                                                      "user",
                                                      "password",
                                                      "passfile",
                                                      "channel_binding",
                                                      "connect_timeout",
                                                      "dbname",
                                                      "host",
                                                      "hostaddr",
                                                      "port",
                                                      "client_encoding",
                                                      "options",
                                                      "application_name",
                                                      "fallback_application_name",
                                                      "keepalives",
                                                      "keepalives_idle",
                                                      "keepalives_interval",
                                                      "keepalives_count",
                                                      "tcp_user_timeout",
                                                      "sslmode",
                                                      "sslcompression",
                                                      "sslcert",
                                                      "sslkey",
                                                      "sslpassword",
                                                      "sslrootcert",
                                                      "sslcrl",
                                                      "sslcrldir",
                                                      "sslsni",
                                                      "requirepeer",
                                                      "ssl_min_protocol_version",
                                                      "ssl_max_protocol_version",
                                                      "gssencmode",
                                                      "krbsrvname",
                                                      "gsslib",
                                                      "replication",
                                                      "target_session_attrs"};
  return keywords;
}

const std::vector<std::string_view>& sqlite_keywords() {
  static const std::vector<std::string_view> keywords{"mode", "cache", "immutable",   "nolock",
                                                      "psow", "vfs",   "busy_timeout"};
  return keywords;
}

}  // namespace millrace::sdk
