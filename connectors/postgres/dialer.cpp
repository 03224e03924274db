#include "connectors/postgres/dialer.hpp"

#include "connectors/asio/reactor.hpp"
#include "connectors/postgres/errors.hpp"
#include "connectors/postgres/start_options.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <random>
#include <utility>

namespace millrace::postgres {

namespace {

sdk::Error unreachable(std::string message, std::string hint = {}) {
  sdk::Error::Detail detail{.hint = std::move(hint), .code = "08001"};
  detail.retryable = true;
  return {sdk::ErrorKind::connection, std::move(message), std::move(detail)};
}

bool needs_resolving(const std::string& host) {
  if (host.empty() || host.front() == '/' || host.front() == '@')
    return false;
  boost::system::error_code no_address;
  boost::asio::ip::make_address(host, no_address);
  return no_address.failed();
}

}  // namespace

std::string Dialer::address_of(const sdk::DatabaseHost& host) const {
  if (settings_.secret_address)
    return "the server";
  if (host.host.empty())
    return "the local socket";
  return host.port == 0 ? host.host : host.host + ":" + std::to_string(host.port);
}

// What libpq says of the connection that it could not make.
sdk::Error Dialer::refusal() const {
  auto error = connect_error(PQerrorMessage(connection_.get()));
  return settings_.secret_address ? without_address(error) : error;
}

Dialer::Dialer(const sdk::DatabaseSettings& settings, sdk::EventLoop& loop,
               std::shared_ptr<sdk::LoopGate> gate, Done done, asio::Resolver& resolver)
  : settings_{settings},
    loop_{loop},
    done_{std::move(done)},
    gate_{std::move(gate)},
    resolver_{resolver},
    descriptor_{asio::io_context_of(loop)} {
}

Dialer::~Dialer() {
  // The descriptor is libpq's to close.
  if (descriptor_.is_open())
    descriptor_.release();
}

void Dialer::start() {
  targets_ = targets_of(settings_, std::random_device{}());
  next_target();
}

void Dialer::stop() {
  done_ = nullptr;
  ++epoch_;
  loop_.cancel(std::exchange(timer_, 0));
  drop_connection();
}

void Dialer::next_target() {
  ++epoch_;
  loop_.cancel(std::exchange(timer_, 0));
  if (target_ == targets_.size()) {
    const bool refused = std::ranges::all_of(
      failures_, [](const auto& entry) { return !entry.second.retryable(); });
    auto error = failures_.front().second;
    if (failures_.size() > 1) {
      std::string message = "no host can be used: ";
      for (const auto& [host, failure] : failures_)
        message.append(host).append(": ").append(failure.message()).append("; ");
      message.resize(message.size() - 2);
      error = {sdk::ErrorKind::connection, std::move(message), error.detail()};
    }
    finish(nullptr, DialFailure{std::move(error), refused});
    return;
  }
  ++target_;
  address_error_.reset();
  const auto limit = settings_.connect_timeout.count() > 0 ? settings_.connect_timeout
                                                           : std::chrono::hours{1};
  deadline_ = std::chrono::steady_clock::now() + limit;
  resolve();
}

// The next step of the target has so long.
void Dialer::arm(std::chrono::steady_clock::duration limit) {
  loop_.cancel(std::exchange(timer_, 0));
  timer_ = loop_.after(limit, [self = shared_from_this(), epoch = ++epoch_] {
    if (epoch == self->epoch_)
      self->address_failed(unreachable(
        "no connection to " + self->address_of(self->targets_[self->target_ - 1].host) + " within "
          + std::to_string(self->settings_.connect_timeout.count()) + " ms",
        "check the address and the firewalls, or raise connect_timeout"));
  });
}

void Dialer::resolve() {
  const auto& target = targets_[target_ - 1];
  addresses_.clear();
  address_ = 0;
  if (!target.address.empty() || !needs_resolving(target.host.host)) {
    addresses_.push_back(target.address);
    next_address();
    return;
  }
  arm(deadline_ - std::chrono::steady_clock::now());
  resolver_.resolve(target.host.host, gate_,
                    [weak = weak_from_this(), epoch = epoch_](const asio::ResolvedName& found) {
                      const auto self = weak.lock();
                      if (self && epoch == self->epoch_)
                        self->resolved(found);
                    });
}

void Dialer::resolved(const asio::ResolvedName& found) {
  if (!found) {
    address_failed(unreachable("the name of " + address_of(targets_[target_ - 1].host)
                                 + " cannot be resolved: " + found.error().message(),
                               "correct the host's name, or check the resolver of this machine"));
    return;
  }
  addresses_ = *found;
  next_address();
}

void Dialer::next_address() {
  if (address_ == addresses_.size()) {
    target_failed(address_error_.value_or(unreachable("the host's name has no address")));
    return;
  }
  const auto& target = targets_[target_ - 1];
  // The first of several addresses, where nobody answers, leaves time for the others.
  const auto left = static_cast<std::int64_t>(addresses_.size() - address_);
  arm((deadline_ - std::chrono::steady_clock::now()) / left);
  connection_ = start_connection(
    start_options(settings_, target.host, addresses_[address_++], target.session_attributes));
  if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD) {
    address_failed(connection_ ? refusal() : unreachable("out of memory"));
    return;
  }
  wait_for(PGRES_POLLING_WRITING);
}

// The socket may be another one after every step, also under the number of the old one, which epoll
// has dropped.
boost::system::error_code Dialer::reassign() {
  if (descriptor_.is_open())
    descriptor_.release();
  boost::system::error_code failure;
  descriptor_.assign(PQsocket(connection_.get()), failure);
  return failure;
}

void Dialer::wait_for(PostgresPollingStatusType what) {
  if (const auto failure = reassign()) {
    address_failed(unreachable("cannot wait for the connection: " + failure.message()));
    return;
  }
  using Descriptor = boost::asio::posix::stream_descriptor;
  const auto kind = what == PGRES_POLLING_READING ? Descriptor::wait_read : Descriptor::wait_write;
  descriptor_.async_wait(
    kind, [self = shared_from_this(), epoch = epoch_](const boost::system::error_code& failure) {
      if (epoch != self->epoch_ || !self->connection_)
        return;
      if (failure)
        self->address_failed(unreachable("cannot wait for the connection: " + failure.message()));
      else
        self->poll();
    });
}

void Dialer::poll() {
  const auto status = PQconnectPoll(connection_.get());
  if (status == PGRES_POLLING_FAILED) {
    address_failed(refusal());
    return;
  }
  if (status == PGRES_POLLING_OK) {
    succeed();
    return;
  }
  wait_for(status);
}

void Dialer::succeed() {
  auto* raw = connection_.get();
  PQsetErrorVerbosity(raw, PQERRORS_DEFAULT);
  if (PQsetnonblocking(raw, 1) != 0 || PQenterPipelineMode(raw) != 1) {
    address_failed(unreachable("the connection cannot enter pipeline mode"));
    return;
  }
  descriptor_.release();
  finish(std::move(connection_), std::nullopt);
}

void Dialer::drop_connection() {
  // The descriptor is libpq's: Asio lets go of it before it is closed.
  if (descriptor_.is_open())
    descriptor_.release();
  connection_.reset();
}

void Dialer::address_failed(sdk::Error error) {
  drop_connection();
  address_error_ = std::move(error);
  next_address();
}

void Dialer::target_failed(sdk::Error error) {
  drop_connection();
  const auto& host = targets_[target_ - 1].host;
  const std::string name = settings_.secret_address ? "host " + std::to_string(target_)
                           : host.host.empty()      ? "local socket"
                                                    : host.host;
  failures_.emplace_back(name, std::move(error));
  next_target();
}

void Dialer::finish(ConnectionPtr connection, std::optional<DialFailure> failure) {
  ++epoch_;
  loop_.cancel(std::exchange(timer_, 0));
  if (done_)
    std::exchange(done_, nullptr)(std::move(connection), std::move(failure));
}

}  // namespace millrace::postgres
