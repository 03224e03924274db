// RESP: what a Redis server says (protocol versions 2 and 3), read from bytes as they come, and
// commands as bytes.
//
//   ReplyReader reader{limit};
//   reader.feed(bytes);
//   Reply reply;
//   while (reader.next(reply) == ReplyReader::Step::reply) …
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::redis {

struct Reply {
  enum class Kind : std::uint8_t {
    null,
    status,  // a simple string: "OK"
    error,   // its text begins with a code: "WRONGTYPE …"
    integer,
    number,   // a double or a big number, as its text
    boolean,  // in `integer`
    text,     // any bytes
    array,    // also a set
    map,      // keys and values in turn
    push,     // nobody asked for it
  };

  Kind kind = Kind::null;
  std::int64_t integer = 0;
  std::string text;
  std::vector<Reply> items;

  bool is(Kind what) const noexcept { return kind == what; }

  /// The value of a map's `key`, or null; of a flat array (RESP2) too.
  const Reply* find(std::string_view key) const noexcept;
};

/// Never holds more than the reply it is at and what was fed behind it.
class ReplyReader {
public:
  enum class Step : std::uint8_t {
    need_more,
    reply,
    too_large,  // a reply beyond the limit began: nothing more can be read
    broken,     // these are no replies: nothing more can be read
  };

  /// @param limit bytes of one reply; each of its parts counts as some more.
  explicit ReplyReader(std::size_t limit) : limit_{limit} {}

  void feed(std::string_view bytes);
  Step next(Reply& out);

private:
  struct Open {
    Reply reply;
    std::size_t missing;  // items that have not come yet
    bool is_attribute;    // about the reply behind it, and dropped
  };

  // What the header line at hand came to.
  enum class Header : std::uint8_t { incomplete, part, opened, bulk, bad, large };

  Header read_header(Reply& part);
  Header open(Reply::Kind kind, std::string_view count, std::size_t factor, bool is_attribute);
  Step take_bulk(Reply& part);
  bool take_line(std::string_view& line);
  bool spend(std::size_t bytes) noexcept;
  bool close(Reply& part);
  void compact();

  std::size_t limit_;
  std::size_t spent_ = 0;  // of the reply at hand
  std::string buffer_;
  std::size_t at_ = 0;       // read up to here
  std::size_t scanned_ = 0;  // no line ends before it
  std::vector<Open> open_;
  std::size_t bulk_ = 0;  // bytes of the text at hand
  bool in_bulk_ = false;
  bool bulk_is_error_ = false;
  bool bulk_is_verbatim_ = false;
  Step end_ = Step::need_more;
};

/// Appends a command: its name and arguments, any bytes.
void append_command(std::string& out, std::initializer_list<std::string_view> words);
void append_command(std::string& out, const std::vector<std::string>& words);

}  // namespace millrace::redis
