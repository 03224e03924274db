// InputFile: the bytes of one file from its start, unpacked where it is gzip.
#pragma once

#include "connectors/file/config.hpp"
#include "connectors/file/gzip.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace millrace::file {

/// Which file a descriptor or path stands for, whatever it is called.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

class InputFile {
public:
  /// @param wake ends the wait for bytes of a pipe; must outlive the file.
  static sdk::Result<InputFile> open(const sdk::Text& path, Compression compression,
                                     const sdk::WakeUp& wake);

  /// The next bytes. @returns 0 at the present end (more may come), or where `wake` was set; kind
  /// `io` where reading fails, `data` where gzip data is damaged.
  sdk::Result<std::size_t> read(std::span<char> room);

  /// To be asked at the end: whether something is missing (gzip data that stops too early).
  sdk::Status check_end() const;

  /// Whether the file is shorter now than what was read of it.
  bool was_truncated() const noexcept;

  /// Whether no path leads to it any more.
  bool was_deleted() const noexcept;

  /// Goes to `offset`, which is not possible with gzip.
  void seek(std::uint64_t offset) noexcept;

  bool is_gzip() const noexcept { return gzip_ != nullptr; }

  /// A file on a disk, no pipe, terminal or device.
  bool is_regular() const noexcept { return regular_; }

  const FileIdentity& identity() const noexcept { return identity_; }

  int descriptor() const noexcept { return file_.get(); }

private:
  InputFile(sdk::Descriptor file, const sdk::WakeUp& wake) : file_{std::move(file)}, wake_{&wake} {}

  sdk::Result<std::size_t> read_raw(std::span<char> room);
  void recognise(Compression compression, const std::string& path);

  sdk::Descriptor file_;
  const sdk::WakeUp* wake_;
  FileIdentity identity_;
  bool regular_ = false;
  std::uint64_t offset_ = 0;  // raw bytes read
  std::unique_ptr<GzipReader> gzip_;
  std::string packed_;
};

/// Where the last line begins that has no line break at its end; `size` where there is none.
sdk::Result<std::uint64_t> last_line_start(int fd, std::uint64_t size);

}  // namespace millrace::file
