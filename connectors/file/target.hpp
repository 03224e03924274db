// FileTarget: one file that is written. Only whole lines are ever left in it: what a failed write
// put down is taken away again.
#pragma once

#include "connectors/file/config.hpp"
#include "connectors/file/gzip.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/format/batch_writer.hpp"
#include "connectors/sdk/format/record_encoder.hpp"
#include "connectors/sdk/log.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

namespace millrace::file {

/// Thread-safe: a step opens it, its writer writes.
class FileTarget : public sdk::WriteTarget {
public:
  /// @param abort ends the wait for the reader of a pipe. All references must outlive the target.
  FileTarget(std::string path, const WriteConfig& config, sdk::Log& log, const sdk::WakeUp& abort);

  /// Takes away what is not whole: the temporary file of a run that did not finish.
  ~FileTarget() override;

  /// Opens or makes the file, so that mistakes show early. Done by `write` too.
  sdk::Status open();

  sdk::PiecesWritten write(std::span<const Piece* const> pieces) override;

  /// Gives the descriptor back; the next write opens it again.
  void close();

  /// mode whole: the file gets its name. Nothing may be written afterwards.
  sdk::Status commit();

  const std::string& path() const noexcept { return path_.reveal(); }

  /// Serialises `value` behind `out`; with csv all who write the file share its columns.
  sdk::Status encode(std::string& out, const sdk::Value& value);

  /// What must stand at the start of the file; known once a value was encoded.
  std::string header();

private:
  sdk::Status open_locked();
  sdk::Status open_special(int flags);
  sdk::Status open_whole();
  sdk::Status open_append();
  sdk::Status repair();
  sdk::Status repair_lines(std::uint64_t size);
  sdk::Status repair_gzip(std::uint64_t size);
  sdk::Status learn_columns();
  sdk::Status cut(std::uint64_t size, std::uint64_t torn);
  bool was_replaced() const noexcept;
  std::uint64_t size() const noexcept;
  sdk::PiecesWritten write_packed(std::span<const Piece* const> pieces, std::string_view header);
  sdk::PiecesWritten write_plain(std::span<const Piece* const> pieces, std::string_view header);
  sdk::Error failed(int number) const;

  const sdk::Text path_;
  const WriteConfig& config_;
  sdk::Log& log_;
  const sdk::WakeUp& abort_;
  const bool gzip_;
  std::string real_path_;  // behind symbolic links
  std::string temporary_;  // mode whole: where the lines go until `commit`; empty: not made yet

  std::mutex mutex_;
  sdk::Descriptor file_;
  bool regular_ = true;
  bool begun_ = false;  // of a pipe or device: something was written
  std::unique_ptr<GzipWriter> packer_;

  std::mutex encoder_mutex_;
  sdk::RecordEncoder encoder_;
};

}  // namespace millrace::file
