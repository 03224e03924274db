#include "dsl/expression/jsonpath_parser.hpp"

#include "dsl/expression/unicode.hpp"

#include <algorithm>

namespace millrace::dsl::jsonpath {

bool Parser::query(Query& out) {
  out.column = in_.position() + 1;
  if (in_.take('@')) {
    if (filters_ == 0 && !options_.current_node)
      return in_.fail(in_.position() - 1, "'@' has a meaning only inside a filter");
    out.absolute = false;
  } else if (!in_.take('$')) {
    return in_.fail("expected '$', found " + in_.found());
  }
  return segments(out);
}

bool Parser::segments(Query& out) {
  for (bool found = true; found;) {
    // Blanks may stand before a segment, but not behind the last one.
    const std::size_t before = in_.position();
    in_.skip_blanks();
    if (!segment(out, found))
      return false;
    if (!found)
      in_.move_to(before);
  }
  out.singular = std::all_of(out.segments.begin(), out.segments.end(), [](const Segment& segment) {
    return !segment.descendant && segment.selectors.size() == 1
           && (segment.selectors[0].kind == Selector::Kind::name
               || segment.selectors[0].kind == Selector::Kind::index);
  });
  return true;
}

bool Parser::segment(Query& out, bool& found) {
  found = in_.next_is('.') || in_.next_is('[');
  if (!found)
    return true;
  Segment& segment = out.segments.emplace_back();
  if (in_.next_is('['))
    return bracketed(segment);
  in_.take('.');
  segment.descendant = in_.take('.');
  if (segment.descendant && in_.next_is('['))
    return bracketed(segment);
  Selector& selector = segment.selectors.emplace_back();
  if (in_.take('*'))
    return true;
  selector.kind = Selector::Kind::name;
  return shorthand(selector.name);
}

bool Parser::is_name_start(char32_t c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'
         || (c >= 0x80 && c != no_code_point);
}

bool Parser::shorthand(std::string& out) {
  const std::size_t start = in_.position();
  std::size_t at = start;
  while (at < in_.text().size()) {
    const std::size_t here = at;
    const char32_t c = next_code_point(in_.text(), at);
    const bool first = here == start;
    if (is_name_start(c) || (!first && c < 0x80 && TextCursor::is_digit(static_cast<char>(c))))
      continue;
    if (c == '-' && !first) {
      if (options_.strict)
        return in_.fail(here, "'-' stands in no shorthand name of RFC 9535; write ['...']");
      continue;
    }
    at = here;
    break;
  }
  if (at == start) {
    return in_.fail("expected a name, '*' or '[' after '.', found " + in_.found()
                    + (TextCursor::is_digit(in_.peek()) ? "; write ['...'] or [0]" : ""));
  }
  out = in_.text().substr(start, at - start);
  in_.move_to(at);
  return true;
}

bool Parser::bracketed(Segment& out) {
  in_.take('[');
  do {
    in_.skip_blanks();
    if (!selector(out.selectors.emplace_back()))
      return false;
    in_.skip_blanks();
  } while (in_.take(','));
  return in_.take(']') || in_.fail("expected ']' or ',', found " + in_.found());
}

bool Parser::selector(Selector& out) {
  const char c = in_.peek();
  if (c == '\'' || c == '"') {
    out.kind = Selector::Kind::name;
    return in_.string_literal(out.name);
  }
  if (in_.take('*'))
    return true;
  if (in_.take('?')) {
    out.kind = Selector::Kind::filter;
    in_.skip_blanks();
    auto filter = std::make_shared<Logical>();
    ++filters_;
    const bool ok = logical(*filter);
    --filters_;
    out.filter = std::move(filter);
    return ok;
  }
  if (c == ':' || c == '-' || TextCursor::is_digit(c))
    return index_or_slice(out);
  return in_.fail("expected a quoted name, '*', an index, a slice or '?', found " + in_.found());
}

bool Parser::optional_integer(std::optional<std::int64_t>& out) {
  if (in_.peek() != '-' && !TextCursor::is_digit(in_.peek()))
    return true;
  return in_.integer(out.emplace());
}

bool Parser::index_or_slice(Selector& out) {
  if (!optional_integer(out.start))
    return false;
  const std::size_t behind = in_.position();
  in_.skip_blanks();
  if (!in_.take(':')) {
    in_.move_to(behind);
    out.kind = Selector::Kind::index;
    out.index = out.start.value_or(0);
    return true;
  }
  out.kind = Selector::Kind::slice;
  in_.skip_blanks();
  if (!optional_integer(out.end))
    return false;
  in_.skip_blanks();
  if (!in_.take(':'))
    return true;
  in_.skip_blanks();
  std::optional<std::int64_t> step;
  if (!optional_integer(step))
    return false;
  out.step = step.value_or(1);
  return true;
}

}  // namespace millrace::dsl::jsonpath
