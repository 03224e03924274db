// LaneReader: from the bytes of one file or pipe to intakes. Bad lines become failures with their
// place and raw text; everything else reads on.
//
//   LaneReader reader{format, context, lane};
//   const auto room = reader.room();
//   while ((count = ::read(fd, room.data(), room.size())) > 0)
//     if (!reader.filled(count)) return;        // told to stop
//   reader.finish();
#pragma once

#include "connectors/sdk/format/line_scanner.hpp"
#include "connectors/sdk/format/record_decoder.hpp"
#include "connectors/sdk/source.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::sdk {

/// Used by the source's own thread: waits for credit. A record's position is its byte offset.
class LaneReader {
public:
  /// Most records and bytes of one intake; a whole one is emitted earlier where nothing more waits.
  static constexpr std::size_t intake_records = 512;
  static constexpr std::size_t intake_bytes = 256 * 1024;

  /// All references must outlive the reader. The lane's name says in messages where lines stand.
  /// @param offset where in the file the bytes begin that come first.
  LaneReader(const ReadFormat& format, const SourceContext& context, LanePtr lane,
             std::uint64_t offset = 0);

  /// Where to put the next bytes; never empty.
  std::span<char> room() { return scanner_.room(); }

  /// Emits the records of `count` more bytes. @returns false when the source is to stop.
  bool filled(std::size_t count);

  /// The stream has ended: its last line may lack the line break. @returns false when to stop.
  bool finish();

  /// The stream is broken here: a failure with what there is of an unfinished line. @returns false
  /// when to stop.
  bool fail(const Error& error);

  /// Whether nothing of this stream can be read (a csv header that is none).
  bool unusable() const noexcept { return unusable_; }

private:
  bool emit_lines();
  void add(const LineScanner::Line& line);
  void add_failure(const LineScanner::Line& line, Error error);
  void put(const LineScanner::Line& line, Value payload);
  bool flush();
  Error located(const LineScanner::Line& line, const Error& error) const;

  const SourceContext& context_;
  LanePtr lane_;
  LineScanner scanner_;
  RecordDecoder decoder_;
  Intake intake_;
  bool at_start_;
  bool unusable_ = false;
};

}  // namespace millrace::sdk
