// RowStream: takes a large result off its wire piece by piece. While so many pieces have not been
// worked off the driver reads no more, so that memory stays flat and the server waits.
//
//   auto stream = std::make_shared<RowStream>(RowStream::Sizes{}, [](auto rows) { … });
//   session.execute({.sql = "SELECT …", .stream = stream}, done);   // `done` comes behind all rows
//   stream->taken();                                              // after each piece
#pragma once

#include "connectors/sdk/database.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace millrace::sdk {

/// For one statement. Thread-safe.
class RowStream {
public:
  struct Sizes {
    std::size_t rows = 512;  // of a piece; the last one may have fewer
    std::size_t pieces = 4;  // handed over and not yet taken
  };

  /// @param on_rows is called on the wire's thread, in order; it must only pass the rows on.
  RowStream(Sizes sizes, std::function<void(std::unique_ptr<RawResult>)> on_rows);

  // --- who wants the rows

  /// A piece has been worked off.
  void taken();

  /// No more rows are wanted: the statement ends with an error (57014) as soon as it can.
  void cancel();

  // --- the driver

  std::size_t piece_rows() const noexcept { return sizes_.rows; }

  /// Rows that come after `cancel` are dropped.
  void push(std::unique_ptr<RawResult> rows);

  /// Whether another piece may be pushed; always after `cancel`.
  bool has_room() const;

  /// Calls `resume` once, from any thread, as soon as there is room.
  void when_room(std::function<void()> resume);

  /// Waits for room, for drivers with a thread of their own. @returns false after `cancel`.
  bool wait_for_room();

  bool cancelled() const;

  /// Calls `stop` once, from any thread, as soon as it is cancelled.
  void when_cancelled(std::function<void()> stop);

private:
  bool room() const noexcept { return cancelled_ || waiting_ < sizes_.pieces; }

  const Sizes sizes_;
  const std::function<void(std::unique_ptr<RawResult>)> on_rows_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;  // pieces
  bool cancelled_ = false;
  std::function<void()> resume_;
  std::function<void()> stop_;
};

}  // namespace millrace::sdk
