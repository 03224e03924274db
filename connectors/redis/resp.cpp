// The protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
#include "connectors/redis/resp.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace millrace::redis {
namespace {

constexpr std::size_t longest_line = 64UL * 1024;  // of anything but a bulk text
constexpr std::size_t deepest = 32;
constexpr std::size_t most_reserved = 1024;  // items: a count that is announced is only a promise
constexpr std::size_t part_bytes = sizeof(Reply);
constexpr std::string_view line_end = "\r\n";

bool parse_number(std::string_view text, std::int64_t& out) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc{} && stop == end;
}

bool parse_size(std::string_view text, std::size_t& out) {
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, out);
  return failure == std::errc{} && stop == end;
}

void append_size(std::string& out, char mark, std::size_t size) {
  out += mark;
  out += std::to_string(size);
  out += line_end;
}

void append_word(std::string& out, std::string_view word) {
  append_size(out, '$', word.size());
  out += word;
  out += line_end;
}

}  // namespace

const Reply* Reply::find(std::string_view key) const noexcept {
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].text == key)
      return &items[i + 1];
  }
  return nullptr;
}

void ReplyReader::feed(std::string_view bytes) {
  compact();
  buffer_ += bytes;
}

void ReplyReader::compact() {
  if (at_ < buffer_.size() / 2)
    return;
  buffer_.erase(0, at_);
  scanned_ -= std::min(scanned_, at_);
  at_ = 0;
  // One huge reply must not keep its memory for good.
  constexpr std::size_t roomy = 1024UL * 1024;
  if (buffer_.capacity() > roomy && buffer_.size() < roomy / 4)
    buffer_.shrink_to_fit();
}

ReplyReader::Step ReplyReader::next(Reply& out) {
  if (end_ != Step::need_more)
    return end_;
  while (true) {
    Reply part;
    if (!in_bulk_) {
      switch (read_header(part)) {
      case Header::incomplete:
        return Step::need_more;
      case Header::bad:
        return end_ = Step::broken;
      case Header::large:
        return end_ = Step::too_large;
      case Header::opened:
        continue;
      case Header::bulk:
      case Header::part:
        break;
      }
    }
    if (in_bulk_) {
      const auto step = take_bulk(part);
      if (step == Step::broken)
        return end_ = Step::broken;
      if (step == Step::need_more)
        return step;
    }
    if (close(part)) {
      out = std::move(part);
      spent_ = 0;
      return Step::reply;
    }
  }
}

bool ReplyReader::take_line(std::string_view& line) {
  const auto found = buffer_.find(line_end, std::max(scanned_, at_));
  if (found == std::string::npos) {
    scanned_ = std::max(at_, buffer_.empty() ? 0 : buffer_.size() - 1);
    return false;
  }
  line = std::string_view{buffer_}.substr(at_, found - at_);
  at_ = scanned_ = found + line_end.size();
  return true;
}

bool ReplyReader::spend(std::size_t bytes) noexcept {
  if (bytes > limit_ - std::min(limit_, spent_))
    return false;
  spent_ += bytes;
  return true;
}

ReplyReader::Header ReplyReader::read_header(Reply& part) {
  std::string_view line;
  if (!take_line(line))
    return buffer_.size() - at_ > longest_line ? Header::bad : Header::incomplete;
  if (line.empty() || line.size() > longest_line)
    return Header::bad;
  const char mark = line.front();
  line.remove_prefix(1);
  if (!spend(part_bytes + line.size()))
    return Header::large;
  switch (mark) {
  case '+':
    part.kind = Reply::Kind::status;
    part.text = line;
    return Header::part;
  case '-':
    part.kind = Reply::Kind::error;
    part.text = line;
    return Header::part;
  case ':':
    part.kind = Reply::Kind::integer;
    return parse_number(line, part.integer) ? Header::part : Header::bad;
  case ',':
  case '(':
    part.kind = Reply::Kind::number;
    part.text = line;
    return line.empty() ? Header::bad : Header::part;
  case '#':
    part.kind = Reply::Kind::boolean;
    part.integer = line == "t" ? 1 : 0;
    return line == "t" || line == "f" ? Header::part : Header::bad;
  case '_':
    return line.empty() ? Header::part : Header::bad;
  case '$':
  case '!':
  case '=':
    if (mark == '$' && line == "-1")
      return Header::part;
    if (!parse_size(line, bulk_))
      return Header::bad;
    if (!spend(bulk_))
      return Header::large;
    in_bulk_ = true;
    bulk_is_error_ = mark == '!';
    bulk_is_verbatim_ = mark == '=';
    return Header::bulk;
  case '*':
  case '~':
    return mark == '*' && line == "-1" ? Header::part : open(Reply::Kind::array, line, 1, false);
  case '>':
    return open(Reply::Kind::push, line, 1, false);
  case '%':
    return open(Reply::Kind::map, line, 2, false);
  case '|':
    return open(Reply::Kind::map, line, 2, true);
  default:
    return Header::bad;
  }
}

ReplyReader::Header ReplyReader::open(Reply::Kind kind, std::string_view count, std::size_t factor,
                                      bool is_attribute) {
  std::size_t items = 0;
  if (!parse_size(count, items) || open_.size() >= deepest)
    return Header::bad;
  if (items > limit_ / part_bytes)
    return Header::large;
  Open one{.reply = {.kind = kind}, .missing = items * factor, .is_attribute = is_attribute};
  one.reply.items.reserve(std::min(one.missing, most_reserved));
  open_.push_back(std::move(one));
  return items == 0 ? Header::part : Header::opened;
}

ReplyReader::Step ReplyReader::take_bulk(Reply& part) {
  if (buffer_.size() - at_ < bulk_ + line_end.size())
    return Step::need_more;
  auto text = std::string_view{buffer_}.substr(at_, bulk_);
  if (std::string_view{buffer_}.substr(at_ + bulk_, line_end.size()) != line_end)
    return Step::broken;
  if (bulk_is_verbatim_) {
    // "txt:" and the like stand in front.
    constexpr std::size_t prefix = 4;
    if (text.size() < prefix || text[prefix - 1] != ':')
      return Step::broken;
    text.remove_prefix(prefix);
  }
  part.kind = bulk_is_error_ ? Reply::Kind::error : Reply::Kind::text;
  part.text = text;
  at_ += bulk_ + line_end.size();
  scanned_ = at_;
  in_bulk_ = false;
  return Step::reply;
}

// Puts a part where it belongs. @returns whether `part` is now a whole reply.
bool ReplyReader::close(Reply& part) {
  while (!open_.empty()) {
    auto& last = open_.back();
    // An empty aggregate closes itself: `part` is then the null that stood for it.
    if (last.missing > 0) {
      last.reply.items.push_back(std::move(part));
      if (--last.missing > 0)
        return false;
    }
    part = std::move(last.reply);
    const bool dropped = last.is_attribute;
    open_.pop_back();
    if (dropped)
      return false;
  }
  return true;
}

void append_command(std::string& out, std::initializer_list<std::string_view> words) {
  append_size(out, '*', words.size());
  for (const auto word : words)
    append_word(out, word);
}

void append_command(std::string& out, const std::vector<std::string>& words) {
  append_size(out, '*', words.size());
  for (const auto& word : words)
    append_word(out, word);
}

}  // namespace millrace::redis
