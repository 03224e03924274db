// gzip (RFC 1952) by zlib: reading streams of one or more members, writing one member per call.
#pragma once

#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace millrace::file {

/// Whether `bytes` begin as a gzip member does.
bool begins_gzip(std::string_view bytes) noexcept;

/// Unpacks a stream that comes in pieces.
class GzipReader {
public:
  GzipReader();
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// Gives more packed bytes, which must stay until they are used up.
  void feed(std::string_view packed);

  /// Whether all that was fed is used up.
  bool hungry() const noexcept;

  /// Unpacks into `out`. @returns the number of bytes, 0 where it is hungry; kind `data` where the
  /// stream is damaged.
  sdk::Result<std::size_t> read(std::span<char> out);

  /// Whether the stream may end here: no member is open.
  bool whole() const noexcept { return between_members_; }

  /// Packed bytes up to the end of the last whole member.
  std::uint64_t whole_bytes() const noexcept { return whole_bytes_; }

private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::uint64_t used_ = 0;  // packed bytes
  std::uint64_t whole_bytes_ = 0;
  bool between_members_ = true;
  bool padded_ = false;  // zeros after the last member, as tar tools leave them
};

/// Packs `pieces` as one member.
class GzipWriter {
public:
  GzipWriter();
  ~GzipWriter();
  GzipWriter(const GzipWriter&) = delete;
  GzipWriter& operator=(const GzipWriter&) = delete;

  void begin();
  void add(std::string_view piece);

  /// @returns the member; valid until `begin`.
  std::string_view end();

private:
  void pack(std::string_view piece, bool last);

  struct Stream;
  std::unique_ptr<Stream> stream_;
  std::string packed_;
};

}  // namespace millrace::file
