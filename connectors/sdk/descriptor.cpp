#include "connectors/sdk/descriptor.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace millrace::sdk {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  close();
}

void Descriptor::close() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

WakeUp::WakeUp() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {
}

void WakeUp::set() noexcept {
  set_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  static_cast<void>(!::write(event_.get(), &one, sizeof one));  // full: it is set already
}

bool wait_for(int fd, short events, const WakeUp& wake) noexcept {
  std::array<pollfd, 2> polled{pollfd{.fd = fd, .events = events, .revents = 0},
                               pollfd{.fd = wake.descriptor(), .events = POLLIN, .revents = 0}};
  while (::poll(polled.data(), polled.size(), -1) < 0 && errno == EINTR) {
  }
  return polled[1].revents == 0;
}

}  // namespace millrace::sdk
