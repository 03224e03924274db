#include "connectors/file/input_file.hpp"

#include "connectors/sdk/system_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace millrace::file {
namespace {

constexpr std::size_t packed_chunk = 128 * 1024;

}  // namespace

sdk::Result<InputFile> InputFile::open(const sdk::Text& path, Compression compression,
                                       const sdk::WakeUp& wake) {
  // Without O_NONBLOCK a named pipe would hold us here until somebody opens its other end.
  InputFile input{sdk::Descriptor{::open(path.reveal().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)},
                  wake};
  if (!input.file_)
    return sdk::system_error("cannot open " + path.shown(), errno);

  struct stat status {};

  if (::fstat(input.file_.get(), &status) != 0)
    return sdk::system_error("cannot open " + path.shown(), errno);
  if (S_ISDIR(status.st_mode))
    return sdk::system_error("cannot read " + path.shown(), EISDIR);
  input.regular_ = S_ISREG(status.st_mode);
  input.identity_ = {.device = status.st_dev, .inode = status.st_ino};
  if (input.regular_)
    static_cast<void>(::posix_fadvise(input.file_.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
  input.recognise(compression, path.reveal());
  return input;
}

void InputFile::recognise(Compression compression, const std::string& path) {
  bool gzip = compression == Compression::gzip;
  if (compression == Compression::by_name) {
    gzip = named_gzip(path);
    if (!gzip && regular_) {
      std::array<char, 3> first{};
      const ssize_t count = ::pread(file_.get(), first.data(), first.size(), 0);
      gzip = count == static_cast<ssize_t>(first.size())
             && begins_gzip({first.data(), first.size()});
    }
  }
  if (gzip) {
    gzip_ = std::make_unique<GzipReader>();
    packed_.resize(packed_chunk);
  }
}

sdk::Result<std::size_t> InputFile::read_raw(std::span<char> room) {
  while (true) {
    if (!regular_ && !sdk::wait_for(file_.get(), POLLIN, *wake_))
      return std::size_t{0};
    const ssize_t count = ::read(file_.get(), room.data(), room.size());
    if (count >= 0) {
      offset_ += static_cast<std::uint64_t>(count);
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR && errno != EAGAIN)
      return sdk::system_error("cannot read on", errno);
  }
}

sdk::Result<std::size_t> InputFile::read(std::span<char> room) {
  if (!gzip_)
    return read_raw(room);
  while (true) {
    auto count = gzip_->read(room);
    if (!count || *count > 0)
      return count;
    if (!gzip_->hungry())
      continue;
    auto raw = read_raw(packed_);
    if (!raw || *raw == 0)
      return raw;
    gzip_->feed(std::string_view{packed_}.substr(0, *raw));
  }
}

sdk::Status InputFile::check_end() const {
  if (gzip_ && !(gzip_->whole() && gzip_->whole_bytes() > 0)) {
    return sdk::Error{sdk::ErrorKind::data,
                      "the gzip data ends too early, after " + std::to_string(offset_)
                        + " bytes: the end of the file is missing",
                      {.hint = "get the whole file; the records before this place were read"}};
  }
  if (was_truncated())
    return sdk::Error{sdk::ErrorKind::io,
                      "the file became shorter while it was read",
                      {.hint = "let whoever writes it put whole files there by renaming"}};
  return {};
}

bool InputFile::was_truncated() const noexcept {
  struct stat status {};

  return regular_ && ::fstat(file_.get(), &status) == 0
         && static_cast<std::uint64_t>(status.st_size) < offset_;
}

bool InputFile::was_deleted() const noexcept {
  struct stat status {};

  return ::fstat(file_.get(), &status) != 0 || status.st_nlink == 0;
}

void InputFile::seek(std::uint64_t offset) noexcept {
  if (::lseek(file_.get(), static_cast<off_t>(offset), SEEK_SET) >= 0)
    offset_ = offset;
}

sdk::Result<std::uint64_t> last_line_start(int fd, std::uint64_t size) {
  std::string block(64 * 1024, '\0');
  std::uint64_t end = size;
  while (end > 0) {
    const auto count = std::min<std::uint64_t>(block.size(), end);
    const ssize_t read = ::pread(fd, block.data(), count, static_cast<off_t>(end - count));
    if (read < 0)
      return sdk::system_error("cannot read the last line", errno);
    if (static_cast<std::uint64_t>(read) != count)
      return sdk::Error{sdk::ErrorKind::io, "the file became shorter while it was read"};
    const std::size_t found = std::string_view{block}.substr(0, count).rfind('\n');
    if (found != std::string_view::npos)
      return end - count + found + 1;
    end -= count;
  }
  return std::uint64_t{0};
}

}  // namespace millrace::file
