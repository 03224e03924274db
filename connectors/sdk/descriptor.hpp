// Descriptor: owns a file descriptor and closes it.
//
//   Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
//   if (!file) return system_error("cannot open '" + path + "'", errno);
#pragma once

#include <atomic>
#include <utility>

namespace millrace::sdk {

class Descriptor {
public:
  Descriptor() = default;

  explicit Descriptor(int fd) noexcept : fd_{fd} {}

  Descriptor(Descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

  Descriptor& operator=(Descriptor&& other) noexcept;
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const noexcept { return fd_; }

  explicit operator bool() const noexcept { return fd_ >= 0; }

  /// Gives it away.
  int release() noexcept { return std::exchange(fd_, -1); }

  void close() noexcept;

private:
  int fd_ = -1;
};

/// Wakes a thread that waits in `poll`: `descriptor` is readable from `set` on.
class WakeUp {
public:
  WakeUp();

  /// For good; from any thread, any number of times.
  void set() noexcept;

  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }

  int descriptor() const noexcept { return event_.get(); }

private:
  Descriptor event_;
  std::atomic<bool> set_{false};
};

/// Waits until `fd` has one of `events` (POLLIN, POLLOUT) or `wake` is set.
/// @returns false where it was `wake`.
bool wait_for(int fd, short events, const WakeUp& wake) noexcept;

}  // namespace millrace::sdk
