// Signal: a descriptor that other threads and librdkafka's queues make readable.
#pragma once

#include "connectors/sdk/descriptor.hpp"

#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace millrace::kafka {

/// One thread waits; any may set.
class Signal {
public:
  Signal() : event_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)} {}

  void set() const noexcept {
    static_cast<void>(!::write(event_.get(), &one, sizeof one));  // full: it is set already
  }

  /// From now on it is set whenever something comes into `queue`, which was empty before.
  void watch(rd_kafka_queue_t* queue) const {
    rd_kafka_queue_io_event_enable(queue, event_.get(), &one, sizeof one);
  }

  /// Waits until it is set, or for so long; takes it back.
  void wait(std::chrono::milliseconds limit) const noexcept {
    pollfd polled{.fd = event_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&polled, 1, static_cast<int>(limit.count())) > 0) {
      std::uint64_t count = 0;
      static_cast<void>(!::read(event_.get(), &count, sizeof count));
    }
  }

private:
  static constexpr std::uint64_t one = 1;
  sdk::Descriptor event_;
};

}  // namespace millrace::kafka
