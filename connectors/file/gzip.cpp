#include "connectors/file/gzip.hpp"

#include <algorithm>
#include <limits>
#include <zlib.h>

namespace millrace::file {
namespace {

constexpr int gzip_window = 15 + 16;  // zlib's way to say "gzip, largest window"

Bytef* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

uInt clamp(std::size_t count) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(count, std::numeric_limits<uInt>::max()));
}

}  // namespace

struct GzipReader::Stream {
  z_stream zlib{};
};

struct GzipWriter::Stream {
  z_stream zlib{};
};

bool begins_gzip(std::string_view bytes) noexcept {
  return bytes.starts_with("\x1F\x8B\x08");
}

GzipReader::GzipReader() : stream_{std::make_unique<Stream>()} {
  ::inflateInit2(&stream_->zlib, gzip_window);
}

GzipReader::~GzipReader() {
  ::inflateEnd(&stream_->zlib);
}

void GzipReader::feed(std::string_view packed) {
  stream_->zlib.next_in = bytes_of(packed);
  stream_->zlib.avail_in = clamp(packed.size());
}

bool GzipReader::hungry() const noexcept {
  return stream_->zlib.avail_in == 0;
}

sdk::Result<std::size_t> GzipReader::read(std::span<char> out) {
  z_stream& zlib = stream_->zlib;
  zlib.next_out = reinterpret_cast<Bytef*>(out.data());
  zlib.avail_out = clamp(out.size());
  const auto room = zlib.avail_out;
  while (zlib.avail_out == room) {
    if (between_members_ && zlib.avail_in > 0) {
      if (*zlib.next_in == 0 && whole_bytes_ > 0)
        padded_ = true;
      if (padded_) {
        if (std::any_of(zlib.next_in, zlib.next_in + zlib.avail_in, [](Bytef b) { return b != 0; }))
          return sdk::Error{sdk::ErrorKind::data,
                            "something that is not gzip follows the gzip data"};
        zlib.avail_in = 0;
        return std::size_t{0};
      }
      ::inflateReset(&zlib);
      between_members_ = false;
    }
    if (between_members_)
      return std::size_t{0};
    const auto before = zlib.avail_in;
    const int status = ::inflate(&zlib, Z_NO_FLUSH);
    used_ += before - zlib.avail_in;
    if (status == Z_STREAM_END) {
      between_members_ = true;
      whole_bytes_ = used_;
    } else if (status == Z_BUF_ERROR || (status == Z_OK && zlib.avail_in == 0)) {
      break;
    } else if (status != Z_OK) {
      return sdk::Error{sdk::ErrorKind::data,
                        "the gzip data is damaged near byte " + std::to_string(used_)
                          + " of the file: "
                          + (zlib.msg != nullptr ? zlib.msg : "it cannot be unpacked")};
    }
  }
  return static_cast<std::size_t>(room - zlib.avail_out);
}

GzipWriter::GzipWriter() : stream_{std::make_unique<Stream>()} {
  constexpr int memory_level = 8;
  ::deflateInit2(&stream_->zlib, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                 Z_DEFAULT_STRATEGY);
}

GzipWriter::~GzipWriter() {
  ::deflateEnd(&stream_->zlib);
}

void GzipWriter::begin() {
  ::deflateReset(&stream_->zlib);
  packed_.clear();
}

void GzipWriter::add(std::string_view piece) {
  pack(piece, false);
}

std::string_view GzipWriter::end() {
  pack({}, true);
  return packed_;
}

void GzipWriter::pack(std::string_view piece, bool last) {
  z_stream& zlib = stream_->zlib;
  while (true) {
    zlib.next_in = bytes_of(piece);
    zlib.avail_in = clamp(piece.size());
    const auto given = zlib.avail_in;
    const std::size_t before = packed_.size();
    packed_.resize(before + std::max<std::size_t>(64 * 1024, given / 4));
    zlib.next_out = reinterpret_cast<Bytef*>(packed_.data() + before);
    zlib.avail_out = clamp(packed_.size() - before);
    const int status = ::deflate(&zlib, last ? Z_FINISH : Z_NO_FLUSH);
    packed_.resize(packed_.size() - zlib.avail_out);
    piece.remove_prefix(given - zlib.avail_in);
    if (last ? status == Z_STREAM_END : piece.empty())
      return;
  }
}

}  // namespace millrace::file
