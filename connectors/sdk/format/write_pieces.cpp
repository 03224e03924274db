#include "connectors/sdk/format/write_pieces.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

namespace millrace::sdk {

BytesWritten write_pieces(int fd, std::span<const std::string_view> pieces, const WakeUp& abort) {
  BytesWritten result;
  std::size_t piece = 0;  // the first that is not whole yet
  std::size_t done = 0;   // bytes of it
  while (piece < pieces.size()) {
    std::array<iovec, 64> vectors{};
    std::size_t count = 0;
    for (std::size_t i = piece; i < pieces.size() && count < vectors.size(); ++i, ++count) {
      const std::string_view text = i == piece ? pieces[i].substr(done) : pieces[i];
      vectors[count] = {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    }
    const ssize_t written = ::writev(fd, vectors.data(), static_cast<int>(count));
    if (written < 0) {
      if (errno == EINTR)
        continue;
      const int error = errno;
      if (error == EAGAIN && wait_for(fd, POLLOUT, abort))
        continue;
      result.error = error == EAGAIN ? ECANCELED : error;
      return result;
    }
    result.bytes += static_cast<std::uint64_t>(written);
    auto left = static_cast<std::size_t>(written);
    while (piece < pieces.size() && left >= pieces[piece].size() - done) {
      left -= pieces[piece].size() - done;
      done = 0;
      ++piece;
    }
    done += left;
  }
  return result;
}

}  // namespace millrace::sdk
