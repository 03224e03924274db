#include "connectors/http/client/curl_driver.hpp"

#include "connectors/asio/reactor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <mutex>
#include <utility>

namespace millrace::http {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

// One socket of curl's, which it closes itself.
struct Watch {
  Watch(boost::asio::io_context& io, curl_socket_t socket) : descriptor{io, socket} {}

  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  ~Watch() { remove(); }

  // Before curl closes the socket, whose number another one may have at once.
  void remove() {
    removed = true;
    descriptor.release();
  }

  stream_descriptor descriptor;
  int wanted = 0;
  bool reads = false;  // waits for it
  bool writes = false;
  bool removed = false;
};

class Driver final : public CurlDriver {
public:
  Driver(sdk::EventLoop& loop, long connections)
    : CurlDriver{loop}, io_{asio::io_context_of(loop)}, multi_{curl_multi_init()} {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Driver::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Driver::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
  }

  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  ~Driver() override {
    loop_.cancel(timer_);
    for (const auto& [easy, done] : running_)
      curl_multi_remove_handle(multi_, easy);
    watched_.clear();
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
    curl_multi_cleanup(multi_);
  }

  void start(CURL* easy, Done done) override {
    running_.emplace(easy, std::move(done));
    curl_multi_add_handle(multi_, easy);
  }

private:
  static int on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self,
                       void* /*of_socket*/) {
    static_cast<Driver*>(self)->watch(socket, what);
    return 0;
  }

  static int on_timer(CURLM* /*multi*/, long milliseconds, void* self) {
    static_cast<Driver*>(self)->arm(milliseconds);
    return 0;
  }

  void watch(curl_socket_t socket, int what) {
    if (what == CURL_POLL_REMOVE) {
      if (const auto watch = watched_.extract(socket))
        watch.mapped()->remove();
      return;
    }
    auto& watch = watched_[socket];
    if (!watch)
      watch = std::make_shared<Watch>(io_, socket);
    watch->wanted = what;
    wait(watch);
  }

  void wait(const std::shared_ptr<Watch>& watch) {
    if ((watch->wanted & CURL_POLL_IN) != 0 && !std::exchange(watch->reads, true))
      wait_for(watch, stream_descriptor::wait_read, CURL_CSELECT_IN);
    if ((watch->wanted & CURL_POLL_OUT) != 0 && !std::exchange(watch->writes, true))
      wait_for(watch, stream_descriptor::wait_write, CURL_CSELECT_OUT);
  }

  void wait_for(const std::shared_ptr<Watch>& watch, stream_descriptor::wait_type type, int event) {
    watch->descriptor.async_wait(type, [weak = weak_from_this(), seen = std::weak_ptr<Watch>{watch},
                                        event](const error_code& failure) {
      const auto self = std::static_pointer_cast<Driver>(weak.lock());
      const auto ready = seen.lock();
      if (!self || !ready || ready->removed)
        return;
      (event == CURL_CSELECT_IN ? ready->reads : ready->writes) = false;
      if (failure == boost::asio::error::operation_aborted)
        return;
      const int wanted = event == CURL_CSELECT_IN ? CURL_POLL_IN : CURL_POLL_OUT;
      if ((ready->wanted & wanted) == 0)
        return;  // curl has lost interest meanwhile
      self->act(ready->descriptor.native_handle(), failure ? CURL_CSELECT_ERR : event);
      if (!ready->removed)
        self->wait(ready);
    });
  }

  void arm(long milliseconds) {
    loop_.cancel(std::exchange(timer_, 0));
    if (milliseconds < 0)
      return;
    timer_ = loop_.after(std::chrono::milliseconds{milliseconds}, [weak = weak_from_this()] {
      if (const auto self = std::static_pointer_cast<Driver>(weak.lock())) {
        self->timer_ = 0;
        self->act(CURL_SOCKET_TIMEOUT, 0);
      }
    });
  }

  void act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi_, socket, events, &running);
    int left = 0;
    while (auto* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE)
        continue;
      auto* easy = message->easy_handle;
      const auto result = message->data.result;
      curl_multi_remove_handle(multi_, easy);
      if (auto done = running_.extract(easy))
        done.mapped()(result);
    }
  }

  boost::asio::io_context& io_;
  CURLM* const multi_;
  std::map<curl_socket_t, std::shared_ptr<Watch>> watched_;
  std::map<CURL*, Done> running_;
  sdk::TimerId timer_ = 0;
};

}  // namespace

std::shared_ptr<CurlDriver> CurlDriver::make(sdk::EventLoop& loop, long connections) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  return std::make_shared<Driver>(loop, connections);
}

}  // namespace millrace::http
