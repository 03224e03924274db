#include "runtime/signals.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

namespace millrace::runtime {

namespace {

sigset_t ending_signals() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void block_signals() noexcept {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals(Handler handler) : handler_{std::move(handler)} {
  const sigset_t set = ending_signals();
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  stop_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread{[this] { wait_for_signals(); }};
}

Signals::~Signals() {
  const std::uint64_t one = 1;
  static_cast<void>(::write(stop_, &one, sizeof one));
  thread_.join();
  ::close(signals_);
  ::close(stop_);
}

void Signals::wait_for_signals() {
  unsigned times = 0;
  std::array<pollfd, 2> waiting{{{signals_, POLLIN, 0}, {stop_, POLLIN, 0}}};
  for (;;) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno == EINTR)
      continue;
    if (waiting[1].revents != 0)
      return;
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info)
      return;
    handler_(info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM", ++times);
  }
}

}  // namespace millrace::runtime
