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

sigset_t our_signals(Hangup hangup) noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (hangup == Hangup::handled)
    sigaddset(&set, SIGHUP);
  return set;
}

}  // namespace

void block_signals(Hangup hangup) noexcept {
  const sigset_t set = our_signals(hangup);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals(Hangup hangup, Handlers handlers) : handlers_{std::move(handlers)} {
  const sigset_t set = our_signals(hangup);
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
    if (info.ssi_signo == SIGHUP)
      handlers_.hang_up();
    else
      handlers_.end(info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM", ++times);
  }
}

}  // namespace millrace::runtime
