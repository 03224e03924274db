#include "connectors/http/gzip.hpp"

#include <algorithm>
#include <array>
#include <zlib.h>

namespace millrace::http {
namespace {

constexpr int gzip_window = 15 + 16;  // 16: gzip's own head and tail
constexpr int quick = 1;              // of the levels; answers are made while somebody waits

Bytef* octets(const char* text) {
  // zlib does not write there, but says so only in newer versions.
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text));  // NOLINT
}

}  // namespace

Inflated gunzip(std::string_view bytes, std::size_t most, std::string& out) {
  z_stream stream{};
  if (inflateInit2(&stream, gzip_window) != Z_OK)
    return Inflated::broken;
  stream.next_in = octets(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::array<char, 16384> piece{};
  auto result = Inflated::broken;
  for (;;) {
    stream.next_out = octets(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int state = inflate(&stream, Z_NO_FLUSH);
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > most) {
      result = Inflated::too_long;
      break;
    }
    if (state == Z_STREAM_END) {
      if (stream.avail_in == 0) {
        result = Inflated::yes;
        break;
      }
      if (inflateReset(&stream) != Z_OK)  // another member follows
        break;
    } else if (state != Z_OK || (stream.avail_in == 0 && stream.avail_out > 0)) {
      break;
    }
  }
  inflateEnd(&stream);
  return result;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  constexpr int memory = 8;  // zlib's default
  if (deflateInit2(&stream, quick, Z_DEFLATED, gzip_window, memory, Z_DEFAULT_STRATEGY) != Z_OK)
    return {};
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = octets(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = octets(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = deflate(&stream, Z_FINISH);
  out.resize(state == Z_STREAM_END ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

}  // namespace millrace::http
