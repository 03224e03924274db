#include "connectors/sdk/format/line_scanner.hpp"

#include <algorithm>
#include <cstring>

namespace millrace::sdk {
namespace {

constexpr std::size_t sample_bytes = 1024;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

LineScanner::LineScanner(Options options)
  : options_{options},
    capacity_{std::max<std::size_t>(options.chunk, 1)},
    buffer_{std::make_unique_for_overwrite<char[]>(capacity_)},
    offset_{options.offset} {
}

std::span<char> LineScanner::room() {
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    searched_ -= begin_;
    piece_ -= begin_;
    first_break_ -= std::min(begin_, first_break_);
    begin_ = 0;
  }
  if (end_ > capacity_ / 2) {  // a long line: `next` bounds how long
    const std::size_t larger = capacity_ * 2;
    auto buffer = std::make_unique_for_overwrite<char[]>(larger);
    std::memcpy(buffer.get(), buffer_.get(), end_);
    buffer_ = std::move(buffer);
    capacity_ = larger;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

std::optional<LineScanner::Line> LineScanner::next() {
  if (passing_by_)
    return pass_by();
  while (true) {
    const char* const bytes = buffer_.get();
    const auto* found = static_cast<const char*>(
      std::memchr(bytes + searched_, '\n', end_ - searched_));
    const std::size_t at = found != nullptr ? static_cast<std::size_t>(found - bytes) : end_;
    if (at - begin_ > options_.max_line)
      return give_up();
    if (found == nullptr) {
      searched_ = end_;
      if (end_ == begin_ || !finished_)
        return std::nullopt;
    }
    const std::string_view piece{bytes + piece_, at - piece_};
    const bool is_csv = options_.delimiter != '\0';
    if (is_csv && (in_quotes_ || piece.find('"') != std::string_view::npos))
      in_quotes_ = open_quote(piece);
    if (in_quotes_ && found == nullptr) {
      if (first_break_ == 0)
        return take(at - begin_, 0, 1, Trouble::unclosed_quote);
      return take(first_break_ - begin_, 1, 1, Trouble::unclosed_quote);
    }
    if (in_quotes_) {
      if (first_break_ == 0)
        first_break_ = at;
      ++breaks_;
      piece_ = searched_ = at + 1;
      continue;
    }
    return take(at - begin_, found != nullptr ? 1 : 0, breaks_ + 1, Trouble::none);
  }
}

// A line over the limit. What becomes of it depends on its first `max_line` bytes only, so that it
// is the same however the stream was cut: if a quote is open there, it is taken to be one that was
// never closed.
std::optional<LineScanner::Line> LineScanner::give_up() {
  const char* const bytes = buffer_.get();
  if (first_break_ != 0) {
    const std::size_t limit = begin_ + options_.max_line + 1;
    if (open_quote({bytes + piece_, limit - piece_}))
      return take(first_break_ - begin_, 1, 1, Trouble::unclosed_quote);
  }
  sample_.assign(bytes + begin_, std::min(sample_bytes, end_ - begin_));
  passed_ = piece_ - begin_;
  begin_ = piece_;
  passing_by_ = true;
  return pass_by();
}

std::optional<LineScanner::Line> LineScanner::take(std::size_t length, std::size_t with_break,
                                                   std::uint64_t breaks, Trouble trouble) {
  std::string_view text{buffer_.get() + begin_, length};
  if (text.ends_with('\r'))
    text.remove_suffix(1);
  const Line line{.text = text, .offset = offset_, .number = number_, .trouble = trouble};
  begin_ += length + with_break;
  offset_ += length + with_break;
  number_ += breaks;
  searched_ = piece_ = begin_;
  first_break_ = breaks_ = 0;
  in_quotes_ = false;
  return line;
}

std::optional<LineScanner::Line> LineScanner::pass_by() {
  const char* const bytes = buffer_.get();
  const auto* found = static_cast<const char*>(std::memchr(bytes + begin_, '\n', end_ - begin_));
  const std::size_t count = found != nullptr ? static_cast<std::size_t>(found - bytes) - begin_
                                             : end_ - begin_;
  passed_ += count;
  begin_ += count + (found != nullptr ? 1 : 0);
  searched_ = piece_ = begin_;
  if (found == nullptr && !finished_)
    return std::nullopt;
  const Line line{
    .text = sample_, .offset = offset_, .number = number_, .trouble = Trouble::too_long};
  offset_ += passed_ + (found != nullptr ? 1 : 0);
  number_ += breaks_ + 1;
  passed_ = 0;
  first_break_ = breaks_ = 0;
  in_quotes_ = passing_by_ = false;
  return line;
}

bool LineScanner::open_quote(std::string_view piece) const noexcept {
  if (offset_ == 0 && piece_ == begin_ && piece.starts_with(byte_order_mark))
    piece.remove_prefix(byte_order_mark.size());
  bool open = in_quotes_;
  bool field_start = !open;
  for (std::size_t i = 0; i < piece.size(); ++i) {
    if (open) {
      if (piece[i] != '"')
        continue;
      if (i + 1 < piece.size() && piece[i + 1] == '"')
        ++i;
      else
        open = false;
    } else if (piece[i] == '"' && field_start) {
      open = true;
      field_start = false;
    } else {
      field_start = piece[i] == options_.delimiter;
    }
  }
  return open;
}

LineScanner::Line LineScanner::unfinished() const noexcept {
  const std::string_view text = passing_by_
                                  ? std::string_view{sample_}
                                  : std::string_view{buffer_.get() + begin_, end_ - begin_};
  return {.text = text, .offset = offset_, .number = number_, .trouble = Trouble::none};
}

}  // namespace millrace::sdk
