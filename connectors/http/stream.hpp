// Stream: the bytes of one connection, plain or encrypted. Everything happens on its loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace millrace::http {

enum class ReadEnd : std::uint8_t {
  none,    // bytes came
  closed,  // the other side sends no more; it may still read
  broken,
};

/// Hears what became of what it asked a Stream for.
class StreamUser {
public:
  virtual ~StreamUser() = default;
  virtual void on_open(bool ok) = 0;
  virtual void on_read(std::size_t bytes, ReadEnd end) = 0;
  virtual void on_written(bool ok) = 0;
};

using StreamUserPtr = std::shared_ptr<StreamUser>;

/// Each method starts something and returns at once; its user lives until it has heard. One read
/// and one write may be under way. After `close` nothing succeeds.
class Stream {
public:
  virtual ~Stream() = default;

  /// The handshake, where there is one.
  virtual void open(StreamUserPtr user) = 0;
  virtual void read(std::span<char> into, StreamUserPtr user) = 0;

  /// `bytes` must live until `on_written`.
  virtual void write(std::string_view bytes, StreamUserPtr user) = 0;

  /// We send no more; what was written still arrives.
  virtual void finish(StreamUserPtr user) = 0;
  virtual void close() = 0;

  /// Address of the other side, for people: "203.0.113.9".
  virtual const std::string& peer() const noexcept = 0;

  /// Common name of the client's certificate; empty where it showed none.
  virtual std::string client_name() const { return {}; }
};

}  // namespace millrace::http
