// LineScanner: cuts a stream of bytes into lines without copying them. Memory stays flat: a line
// over the limit is passed by, with its first bytes kept for the report.
//
//   LineScanner scanner{{.max_line = 1024 * 1024}};
//   const auto room = scanner.room();
//   scanner.filled(::read(fd, room.data(), room.size()));
//   while (auto line = scanner.next()) use(line->text);
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace::sdk {

class LineScanner {
public:
  struct Options {
    std::size_t max_line = 1024 * 1024;
    std::size_t chunk = 256 * 1024;  // bytes to read at a time
    std::uint64_t offset = 0;        // of the first byte that comes, in the stream
    char delimiter = '\0';  // of csv: a line break inside a quoted field does not end the line
  };

  enum class Trouble : std::uint8_t {
    none,
    too_long,        // `text` holds the first bytes only
    unclosed_quote,  // of csv: `text` is the first line of it; the next line starts anew
  };

  struct Line {
    std::string_view text;     // without its line break (LF or CRLF); valid until `room` is called
    std::uint64_t offset = 0;  // of its first byte in the stream
    std::uint64_t number = 0;  // of its first line, from 1
    Trouble trouble = Trouble::none;
  };

  explicit LineScanner(Options options);

  /// Where the next bytes of the stream go: never empty. Lines given out before become invalid.
  std::span<char> room();

  void filled(std::size_t count) noexcept { end_ += count; }

  /// The stream has ended: what has no line break is a line too.
  void finish() noexcept { finished_ = true; }

  /// The next whole line, if there is one.
  std::optional<Line> next();

  /// What was read of a line that is not whole yet; at most `max_line` bytes of it.
  Line unfinished() const noexcept;

private:
  std::optional<Line> take(std::size_t length, std::size_t with_break, std::uint64_t breaks,
                           Trouble trouble);
  std::optional<Line> give_up();
  std::optional<Line> pass_by();
  bool open_quote(std::string_view piece) const noexcept;

  Options options_;
  std::size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  std::size_t begin_ = 0;     // of the line
  std::size_t end_ = 0;       // of the bytes
  std::size_t searched_ = 0;  // no line break between `piece_` and here
  std::size_t piece_ = 0;     // csv: start of the physical line that is looked at
  std::uint64_t breaks_ = 0;  // csv: line breaks inside the line so far
  std::size_t first_break_ = 0;
  bool in_quotes_ = false;
  bool passing_by_ = false;
  bool finished_ = false;
  std::string sample_;        // of the line that is passed by
  std::uint64_t passed_ = 0;  // its bytes so far
  std::uint64_t offset_ = 0;  // of begin_ in the stream
  std::uint64_t number_ = 1;  // of the line at begin_
};

}  // namespace millrace::sdk
