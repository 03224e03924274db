#include "connectors/file/target.hpp"

#include "connectors/file/paths.hpp"
#include "connectors/sdk/format/write_pieces.hpp"
#include "connectors/sdk/system_error.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace millrace::file {
namespace {

constexpr mode_t new_file_mode = 0666;  // less the umask

/// Holds the lock of a file while its end must not move.
class EndLock {
public:
  EndLock(int fd, bool needed) noexcept : fd_{needed ? fd : -1} {
    while (fd_ >= 0 && ::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }

  ~EndLock() {
    if (fd_ >= 0)
      ::flock(fd_, LOCK_UN);
  }

  EndLock(const EndLock&) = delete;
  EndLock& operator=(const EndLock&) = delete;

private:
  int fd_;
};

// The file itself, where `path` is a symbolic link to one.
std::string resolve(const std::string& path) {
  char* real = ::realpath(path.c_str(), nullptr);
  if (real == nullptr)
    return path;
  std::string resolved{real};
  std::free(real);
  return resolved;
}

}  // namespace

FileTarget::FileTarget(std::string path, const WriteConfig& config, sdk::Log& log,
                       const sdk::WakeUp& abort)
  : path_{std::move(path), config.path && config.path->is_secret()},
    config_{config},
    log_{log},
    abort_{abort},
    gzip_{config.compression == Compression::gzip
          || (config.compression == Compression::by_name && named_gzip(path_.reveal()))},
    encoder_{config.format} {
}

FileTarget::~FileTarget() {
  if (!temporary_.empty())
    ::unlink(temporary_.c_str());
}

sdk::Status FileTarget::open() {
  const std::lock_guard lock{mutex_};
  return open_locked();
}

void FileTarget::close() {
  const std::lock_guard lock{mutex_};
  file_.close();
}

sdk::Status FileTarget::encode(std::string& out, const sdk::Value& value) {
  if (config_.format.format != sdk::Format::csv)
    return encoder_.append(out, value);
  const std::lock_guard lock{encoder_mutex_};
  return encoder_.append(out, value);
}

std::string FileTarget::header() {
  if (config_.format.format != sdk::Format::csv)
    return {};
  const std::lock_guard lock{encoder_mutex_};
  return encoder_.header();
}

sdk::Status FileTarget::open_locked() {
  if (file_)
    return {};
  real_path_ = resolve(path_.reveal());

  struct stat status {};

  const bool there = ::stat(real_path_.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode))
    return sdk::system_error("cannot write " + path_.shown(), EISDIR);
  regular_ = !there || S_ISREG(status.st_mode);
  if (!regular_)
    return open_special(O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  return config_.mode == WriteMode::whole ? open_whole() : open_append();
}

sdk::Status FileTarget::open_special(int flags) {
  file_ = sdk::Descriptor{::open(real_path_.c_str(), flags)};
  if (!file_)
    return sdk::system_error("cannot write " + path_.shown(), errno);
  return {};
}

sdk::Status FileTarget::open_whole() {
  const bool again = !temporary_.empty();
  const std::string name = directory_of(real_path_) + "/." + name_of(real_path_) + ".part";
  sdk::Descriptor file{
    ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, new_file_mode)};
  if (!file)
    return sdk::system_error("cannot write " + path_.shown(), errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    return sdk::Error{sdk::ErrorKind::io,
                      "somebody else is writing " + path_.shown() + " just now",
                      {.hint = "let the other run finish, or write to another path",
                       .code = "EWOULDBLOCK",
                       .retryable = true}};
  }
  // A left-over of a run that was killed is nobody's: we hold its lock.
  if (!again && ::ftruncate(file.get(), 0) != 0)
    return sdk::system_error("cannot write " + path_.shown(), errno);

  struct stat status {};

  if (::stat(real_path_.c_str(), &status) == 0)
    static_cast<void>(!::fchmod(file.get(), status.st_mode & 07777));
  file_ = std::move(file);
  temporary_ = name;
  return {};
}

sdk::Status FileTarget::open_append() {
  file_ = sdk::Descriptor{
    ::open(real_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, new_file_mode)};
  if (!file_)
    return sdk::system_error("cannot write " + path_.shown(), errno);
  const EndLock lock{file_.get(), true};
  auto repaired = repair();
  if (!repaired)
    file_.close();
  return repaired;
}

bool FileTarget::was_replaced() const noexcept {
  struct stat open_one {};

  struct stat named {};

  return ::fstat(file_.get(), &open_one) == 0
         && (::stat(real_path_.c_str(), &named) != 0 || open_one.st_ino != named.st_ino
             || open_one.st_dev != named.st_dev);
}

std::uint64_t FileTarget::size() const noexcept {
  struct stat status {};

  return ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

sdk::PiecesWritten FileTarget::write(std::span<const Piece* const> pieces) {
  const std::lock_guard lock{mutex_};
  // Whoever rotates logs renames the file and expects a new one.
  if (file_ && regular_ && config_.mode == WriteMode::append && was_replaced())
    file_.close();
  if (auto opened = open_locked(); !opened)
    return {.error = opened.error()};
  const EndLock end_lock{file_.get(), regular_ && config_.mode == WriteMode::append};
  std::string header;
  if (!pieces.empty() && (regular_ ? size() == 0 : !std::exchange(begun_, true)))
    header = pieces.front()->header;
  auto result = gzip_ ? write_packed(pieces, header) : write_plain(pieces, header);
  if (!result.error && regular_ && config_.sync == Sync::batch && ::fdatasync(file_.get()) != 0)
    result = {.error = failed(errno)};
  return result;
}

sdk::PiecesWritten FileTarget::write_plain(std::span<const Piece* const> pieces,
                                           std::string_view header) {
  const std::uint64_t before = regular_ ? size() : 0;
  std::vector<std::string_view> texts{header};
  for (const Piece* piece : pieces)
    texts.emplace_back(piece->bytes);
  const sdk::BytesWritten written = sdk::write_pieces(file_.get(), texts, abort_);
  if (written.error == 0)
    return {.written = pieces.size()};
  sdk::PiecesWritten result{.error = failed(written.error)};
  if (written.bytes >= header.size())
    result.written = sdk::whole_pieces(pieces, written.bytes - header.size());
  std::uint64_t whole = result.written > 0 ? header.size() : 0;
  for (std::size_t i = 0; i < result.written; ++i)
    whole += pieces[i]->bytes.size();
  if (regular_ && ::ftruncate(file_.get(), static_cast<off_t>(before + whole)) != 0)
    file_.close();  // opening it again repairs the end
  return result;
}

sdk::PiecesWritten FileTarget::write_packed(std::span<const Piece* const> pieces,
                                            std::string_view header) {
  if (!packer_)
    packer_ = std::make_unique<GzipWriter>();
  packer_->begin();
  packer_->add(header);
  for (const Piece* piece : pieces)
    packer_->add(piece->bytes);
  const std::string_view member = packer_->end();
  const std::uint64_t before = regular_ ? size() : 0;
  const sdk::BytesWritten written = sdk::write_pieces(file_.get(), {&member, 1}, abort_);
  if (written.error == 0)
    return {.written = pieces.size()};
  if (regular_ && ::ftruncate(file_.get(), static_cast<off_t>(before)) != 0)
    file_.close();
  return {.error = failed(written.error)};
}

sdk::Error FileTarget::failed(int number) const {
  return sdk::system_error("cannot write " + path_.shown(), number);
}

sdk::Status FileTarget::commit() {
  const std::lock_guard lock{mutex_};
  if (!regular_ || config_.mode != WriteMode::whole)
    return {};
  if (temporary_.empty())
    return {};
  if (auto opened = open_locked(); !opened)
    return opened;
  if (::fsync(file_.get()) != 0 || ::rename(temporary_.c_str(), real_path_.c_str()) != 0)
    return failed(errno);
  temporary_.clear();
  file_.close();
  const sdk::Descriptor directory{
    ::open(directory_of(real_path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory)
    static_cast<void>(::fsync(directory.get()));
  return {};
}

}  // namespace millrace::file
