#include "runtime/service_manager.hpp"

#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/worker.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace millrace::runtime {

namespace {

using namespace std::chrono_literals;

constexpr auto extension = 30s;  // what a start that waits asks for
constexpr auto between_extensions = 10s;

std::string variable(const char* name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process sets variables
  const char* value = std::getenv(name);
  return value == nullptr ? std::string{} : std::string{value};
}

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value);
  return trouble == std::errc{} && end == text.data() + text.size() ? std::optional{value}
                                                                    : std::nullopt;
}

std::string monotonic_usec() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::to_string(static_cast<std::uint64_t>(now.tv_sec) * 1'000'000U
                        + static_cast<std::uint64_t>(now.tv_nsec) / 1'000U);
}

}  // namespace

ServiceManager::ServiceManager(std::function<bool()> alive)
  : address_{variable("NOTIFY_SOCKET")}, alive_{std::move(alive)} {
  if (address_.empty() || (address_.front() != '/' && address_.front() != '@')
      || address_.size() >= sizeof(sockaddr_un::sun_path)) {
    address_.clear();
    return;
  }
  const auto wanted_of = number(variable("WATCHDOG_PID"));
  const auto limit = number(variable("WATCHDOG_USEC"));
  if (limit && (!wanted_of || *wanted_of == static_cast<std::uint64_t>(::getpid())))
    interval_ = std::chrono::microseconds{*limit / 2};
  thread_ = sdk::start_thread("watchdog", [this] { run(); });
}

ServiceManager::~ServiceManager() {
  if (!thread_.joinable())
    return;
  {
    const std::lock_guard lock{mutex_};
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ServiceManager::ready() {
  {
    const std::lock_guard lock{mutex_};
    ready_ = true;
  }
  changed_.notify_all();
  send("READY=1\nSTATUS=running");
}

void ServiceManager::reloading() {
  send("RELOADING=1\nMONOTONIC_USEC=" + monotonic_usec() + "\nSTATUS=reloading");
}

void ServiceManager::stopping() {
  send("STOPPING=1\nSTATUS=draining");
}

// Until it is ready it asks for more time (a database may be down for long); then it says that it
// lives, as often as is wanted.
void ServiceManager::run() {
  std::unique_lock lock{mutex_};
  while (!ended_) {
    if (!ready_) {
      lock.unlock();
      send("EXTEND_TIMEOUT_USEC="
           + std::to_string(std::chrono::microseconds{extension + between_extensions}.count())
           + "\nSTATUS=starting");
      lock.lock();
      changed_.wait_for(lock, between_extensions, [this] { return ended_ || ready_; });
      continue;
    }
    if (interval_ == 0us) {
      changed_.wait(lock, [this] { return ended_; });
      return;
    }
    lock.unlock();
    if (alive_())
      send("WATCHDOG=1");
    lock.lock();
    changed_.wait_for(lock, interval_, [this] { return ended_; });
  }
}

void ServiceManager::send(std::string_view message) const {
  if (address_.empty())
    return;
  const sdk::Descriptor socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket)
    return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  if (address_.front() == '@')
    to.sun_path[0] = '\0';  // in the abstract namespace
  const auto length = offsetof(sockaddr_un, sun_path) + address_.size();
  static_cast<void>(::sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&to),
                             static_cast<socklen_t>(length)));
}

}  // namespace millrace::runtime
