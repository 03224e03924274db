#include "connectors/stdio/stream_target.hpp"

#include "connectors/sdk/format/write_pieces.hpp"
#include "connectors/sdk/system_error.hpp"

#include <fcntl.h>
#include <mutex>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace millrace::stdio {
namespace {

// One write at a time in this process, whatever descriptor it goes to.
std::mutex& write_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

StreamTarget::StreamTarget(int fd) : fd_{fd} {
  // O_NONBLOCK belongs to what a descriptor shares with the shell and other processes; opened anew,
  // the pipe has flags of our own.
  struct stat status {};

  if (::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode)) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    own_ = sdk::Descriptor{::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)};
    if (own_)
      fd_ = own_.get();
  }
}

sdk::PiecesWritten StreamTarget::write(std::span<const Piece* const> pieces) {
  std::vector<std::string_view> texts;
  if (!std::exchange(begun_, true) && !pieces.empty())
    texts.emplace_back(pieces.front()->header);
  const std::size_t header = texts.empty() ? 0 : texts.front().size();
  for (const Piece* piece : pieces)
    texts.emplace_back(piece->bytes);
  const std::lock_guard lock{write_mutex()};
  const sdk::BytesWritten written = sdk::write_pieces(fd_, texts, abort_);
  if (written.error == 0)
    return {.written = pieces.size(), .error = {}};
  return {.written = written.bytes >= header ? sdk::whole_pieces(pieces, written.bytes - header)
                                             : 0,
          .error = sdk::system_error("cannot write to standard output", written.error)};
}

}  // namespace millrace::stdio
