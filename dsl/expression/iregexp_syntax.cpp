// The grammar of RFC 9485, section 4, and its translation to RE2 (the dot leaves out line breaks,
// and the category of unassigned code points has to be spelt out).
#include "dsl/expression/iregexp.hpp"
#include "dsl/expression/unicode.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <re2/re2.h>

namespace millrace::dsl {

namespace {

constexpr std::array<std::string_view, 36> categories{
  "L",  "Ll", "Lm", "Lo", "Lt", "Lu", "M",  "Mc", "Me", "Mn", "N",  "Nd",
  "Nl", "No", "P",  "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Z",  "Zl",
  "Zp", "Zs", "S",  "Sc", "Sk", "Sm", "So", "C",  "Cc", "Cf", "Cn", "Co"};

/// Items of a character class for the unassigned code points, which RE2 has no name for.
std::string unassigned_items() {
  std::string every;
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c == 0xD800)
      c = 0xE000;
    append_code_point(every, c);
  }
  const re2::RE2 run{R"(([^\pL\pM\pN\pP\pZ\pS\p{Cc}\p{Cf}\p{Co}]+))"};
  std::string items;
  const auto item = [&](char32_t c) {
    std::array<char, 8> digits{};
    const auto end =
      std::to_chars(digits.begin(), digits.end(), static_cast<std::uint32_t>(c), 16).ptr;
    items.append("\\x{").append(digits.data(), end).append("}");
  };
  re2::StringPiece rest{every};
  re2::StringPiece part;
  while (re2::RE2::FindAndConsume(&rest, run, &part)) {
    std::size_t at = 0;
    const std::string_view text{part.data(), part.size()};
    char32_t first = next_code_point(text, at);
    char32_t last = first;
    const auto flush = [&] {
      item(first);
      items += '-';
      item(last);
    };
    while (at < text.size()) {
      const char32_t next = next_code_point(text, at);
      if (next != last + 1) {  // the gap of the surrogates
        flush();
        first = next;
      }
      last = next;
    }
    flush();
  }
  return items;
}

class Translator {
public:
  Translator(std::string_view pattern, std::string& out) noexcept : in_{pattern}, out_{out} {}

  bool run() {
    int open = 0;
    bool atom = false;  // whether a quantifier may follow
    while (at_ < in_.size()) {
      const char c = in_[at_];
      if (c == '(') {
        ++open;
        // RE2 refuses deeper nesting by itself, but only after it has read all of it.
        if (open > 200)
          return false;
        out_ += "(?:";
        ++at_;
        atom = false;
      } else if (c == ')') {
        if (--open < 0)
          return false;
        out_ += c;
        ++at_;
        atom = true;
      } else if (c == '|') {
        out_ += c;
        ++at_;
        atom = false;
      } else if (c == '*' || c == '+' || c == '?' || c == '{') {
        if (!atom || !quantifier())
          return false;
        atom = false;
      } else {
        if (!single())
          return false;
        atom = true;
      }
    }
    return open == 0;
  }

private:
  char peek() const noexcept { return at_ < in_.size() ? in_[at_] : '\0'; }

  /// A number of repetitions that RE2 takes; beyond 1000 it would refuse, or read the braces as
  /// characters.
  bool repetitions() {
    const std::size_t start = at_;
    int count = 0;
    while (peek() >= '0' && peek() <= '9' && count <= 1000) {
      count = count * 10 + (peek() - '0');
      out_ += in_[at_++];
    }
    return at_ > start && count <= 1000;
  }

  bool quantifier() {
    const char c = in_[at_++];
    out_ += c;
    if (c != '{')
      return true;
    if (!repetitions())
      return false;
    if (peek() == ',') {
      out_ += in_[at_++];
      if (peek() != '}' && !repetitions())
        return false;
    }
    if (peek() != '}')
      return false;
    out_ += in_[at_++];
    return true;
  }

  void literal(char32_t c) {
    const bool word = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                      || (c >= 'a' && c <= 'z') || c == '_';
    if (c < 0x20 || c == 0x7F) {
      std::array<char, 8> hex{};
      const auto end = std::to_chars(hex.begin(), hex.end(), static_cast<std::uint32_t>(c), 16).ptr;
      out_.append("\\x{").append(hex.data(), end).append("}");
      return;
    }
    if (!word)
      out_ += '\\';
    append_code_point(out_, c);
  }

  /// `\n`, `\.` and their like, behind the backslash.
  bool single_escape(char32_t& c) {
    constexpr std::string_view marks = "()*+-.?[\\]^{|}";
    const char mark = peek();
    if (mark == 'n')
      c = '\n';
    else if (mark == 'r')
      c = '\r';
    else if (mark == 't')
      c = '\t';
    else if (mark != '\0' && marks.find(mark) != std::string_view::npos)
      c = static_cast<char32_t>(mark);
    else
      return false;
    ++at_;
    return true;
  }

  /// `\p{Lu}` behind the backslash; `inside` a class there is no need for brackets.
  bool category(bool inside) {
    const bool complement = peek() == 'P';
    ++at_;
    if (peek() != '{')
      return false;
    const std::size_t close = in_.find('}', at_);
    if (close == std::string_view::npos)
      return false;
    const auto name = in_.substr(at_ + 1, close - at_ - 1);
    if (name.empty() || std::find(categories.begin(), categories.end(), name) == categories.end())
      return false;
    at_ = close + 1;
    if (name != "C" && name != "Cn") {
      out_.append(complement ? "\\P{" : "\\p{").append(name).append("}");
      return true;
    }
    static const std::string unassigned = unassigned_items();
    static const std::string assigned = "\\pL\\pM\\pN\\pP\\pZ\\pS";
    if (!inside)
      out_ += '[';
    if (complement)
      out_.append(assigned).append(name == "Cn" ? "\\p{Cc}\\p{Cf}\\p{Co}" : "");
    else
      out_.append(unassigned).append(name == "C" ? "\\p{Cc}\\p{Cf}\\p{Co}" : "");
    if (!inside)
      out_ += ']';
    return true;
  }

  /// A normal character, the dot, an escape or a class.
  bool single() {
    if (in_[at_] == '.') {
      ++at_;
      out_ += "[^\\n\\r]";
      return true;
    }
    if (in_[at_] == '[')
      return character_class();
    if (in_[at_] == '\\') {
      ++at_;
      if (peek() == 'p' || peek() == 'P')
        return category(false);
      char32_t c = 0;
      if (!single_escape(c))
        return false;
      literal(c);
      return true;
    }
    const char32_t c = next_code_point(in_, at_);
    if (c == no_code_point || c == ']' || c == '}')
      return false;
    // RFC 9485 makes these two plain characters, yet its mappings to other dialects (section 5)
    // leave them as they are, and the compliance suite of RFC 9535 expects the anchors. So they are
    // both.
    if (c == '^' || c == '$')
      out_ += c == '^' ? "(?:\\^|^)" : "(?:\\$|$)";
    else
      literal(c);
    return true;
  }

  bool character_class() {
    ++at_;
    out_ += '[';
    if (peek() == '^') {
      out_ += '^';
      ++at_;
    }
    bool empty = true;
    for (;; empty = false) {
      if (at_ >= in_.size())
        return false;
      if (in_[at_] == ']') {
        if (empty)
          return false;
        ++at_;
        out_ += ']';
        return true;
      }
      if (in_[at_] == '-') {
        // A literal at either edge only.
        const bool last = at_ + 1 < in_.size() && in_[at_ + 1] == ']';
        if (!empty && !last)
          return false;
        ++at_;
        out_ += "\\-";
        continue;
      }
      if (!class_item())
        return false;
    }
  }

  bool class_character(char32_t& c) {
    if (at_ >= in_.size() || in_[at_] == '[' || in_[at_] == ']' || in_[at_] == '-')
      return false;
    if (in_[at_] == '\\') {
      ++at_;
      return single_escape(c);
    }
    c = next_code_point(in_, at_);
    return c != no_code_point;
  }

  bool class_item() {
    if (in_[at_] == '\\' && at_ + 1 < in_.size() && (in_[at_ + 1] == 'p' || in_[at_ + 1] == 'P')) {
      ++at_;
      return category(true);
    }
    char32_t first = 0;
    if (!class_character(first))
      return false;
    literal(first);
    if (peek() != '-' || (at_ + 1 < in_.size() && in_[at_ + 1] == ']'))
      return true;
    ++at_;
    char32_t last = 0;
    if (!class_character(last) || last < first)
      return false;
    out_ += '-';
    literal(last);
    return true;
  }

  std::string_view in_;
  std::string& out_;
  std::size_t at_ = 0;
};

}  // namespace

bool translate_iregexp(std::string_view pattern, std::string& out) {
  out.clear();
  return Translator{pattern, out}.run();
}

}  // namespace millrace::dsl
