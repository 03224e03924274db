#include "connectors/postgres/farewell.hpp"

#include "connectors/asio/reactor.hpp"

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <condition_variable>
#include <fcntl.h>
#include <memory>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <utility>

namespace millrace::postgres {

namespace {

using Descriptor = boost::asio::posix::stream_descriptor;

// Holds the socket open while libpq takes leave on it.
class Farewell : public std::enable_shared_from_this<Farewell> {
public:
  Farewell(int socket, sdk::EventLoop& loop, std::function<void()> gone)
    : loop_{loop}, gone_{std::move(gone)}, descriptor_{asio::io_context_of(loop), socket} {}

  void wait(std::chrono::milliseconds patience) {
    timer_ = loop_.after(patience, [self = shared_from_this()] { self->finish(); });
    read();
  }

private:
  void read() {
    descriptor_.async_wait(Descriptor::wait_read,
                           [self = shared_from_this()](const boost::system::error_code& failure) {
                             if (!failure)
                               self->readable();
                           });
  }

  void readable() {
    std::array<char, 16384> unread;
    while (true) {
      const auto got = ::recv(descriptor_.native_handle(), unread.data(), unread.size(),
                              MSG_DONTWAIT);
      if (got > 0 || (got < 0 && errno == EINTR))
        continue;
      if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        read();
        return;
      }
      finish();
      return;
    }
  }

  void finish() {
    loop_.cancel(timer_);
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    if (gone_)
      std::exchange(gone_, nullptr)();
  }

  sdk::EventLoop& loop_;
  std::function<void()> gone_;
  Descriptor descriptor_;
  sdk::TimerId timer_ = 0;
};

// What nobody waits for any more would run on at the server for as long as it likes: a process that
// ends lets its cancels go out first.
class CancelsUnderWay {
public:
  static CancelsUnderWay& shared() {
    static auto* const cancels = new CancelsUnderWay;  // outlives the threads
    static const AtExit at_exit;
    return *cancels;
  }

  void begin() {
    const std::lock_guard lock{mutex_};
    ++count_;
  }

  void end() {
    const std::lock_guard lock{mutex_};
    --count_;
    changed_.notify_all();
  }

private:
  struct AtExit {
    AtExit() = default;
    AtExit(const AtExit&) = delete;
    AtExit& operator=(const AtExit&) = delete;

    ~AtExit() { shared().wait(); }
  };

  void wait() {
    std::unique_lock lock{mutex_};
    changed_.wait_for(lock, std::chrono::milliseconds{500}, [this] { return count_ == 0; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

}  // namespace

void part(ConnectionPtr connection, sdk::EventLoop& loop, std::chrono::milliseconds patience,
          std::function<void()> gone) {
  const int socket = connection ? PQsocket(connection.get()) : -1;
  const int copy = socket < 0 ? -1 : ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  connection.reset();  // sends the goodbye
  if (copy < 0) {
    gone();
    return;
  }
  std::make_shared<Farewell>(copy, loop, std::move(gone))->wait(patience);
}

void request_cancel(PGconn* connection) {
  CancelsUnderWay::shared().begin();
  std::thread{[cancel = PQgetCancel(connection)] {
    std::array<char, 256> reason{};
    PQcancel(cancel, reason.data(), static_cast<int>(reason.size()));
    PQfreeCancel(cancel);
    CancelsUnderWay::shared().end();
  }}.detach();
}

}  // namespace millrace::postgres
