#include "connectors/stdio/source.hpp"

#include "connectors/sdk/format/lane_reader.hpp"
#include "connectors/sdk/system_error.hpp"
#include "connectors/sdk/worker.hpp"

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace millrace::stdio {

StdinSource::~StdinSource() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

void StdinSource::stop() {
  stopping_.set();
}

sdk::Status StdinSource::start(const sdk::SourceContext& context) {
  context_ = context;
  if (::fcntl(fd_, F_GETFD) < 0)
    return sdk::system_error("cannot read standard input", errno,
                             "it is closed: give it a file or a pipe");
  thread_ = sdk::start_thread("stdin-read", [this] {
    run();
    context_.events->end();
  });
  return {};
}

void StdinSource::run() {
  sdk::LaneReader reader{*format_, context_, std::make_shared<sdk::Lane>("stdin")};
  while (!reader.unusable() && sdk::wait_for(fd_, POLLIN, stopping_)) {
    const auto room = reader.room();
    const ssize_t count = ::read(fd_, room.data(), room.size());
    if (count < 0) {
      const int error = errno;
      if (error == EINTR || error == EAGAIN)
        continue;
      reader.fail(sdk::system_error("cannot read standard input", error));
      return;
    }
    if (count == 0) {
      reader.finish();
      return;
    }
    if (!reader.filled(static_cast<std::size_t>(count)))
      return;
  }
}

}  // namespace millrace::stdio
