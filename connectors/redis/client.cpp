#include "connectors/redis/client.hpp"

#include "connectors/redis/errors.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

// What is on the wire and not answered; the rest waits where it can still be taken back.
constexpr std::size_t most_bytes_in_flight = 1024UL * 1024;
constexpr std::size_t most_in_flight = 16'384;
// One command that ends every connection must not do so for ever.
constexpr std::uint32_t most_tries = 3;

const sdk::Backoff backoff{100ms, 5s};

}  // namespace

std::shared_ptr<Client> Client::make(ServerPtr server, sdk::EventLoop& loop,
                                     std::shared_ptr<TlsClient> tls, sdk::Log& log) {
  std::shared_ptr<Client> made{new Client{std::move(server), loop, std::move(tls), log}};
  loop.post([weak = std::weak_ptr{made}] {
    if (const auto self = weak.lock())
      self->connect();
  });
  return made;
}

Client::Client(ServerPtr server, sdk::EventLoop& loop, std::shared_ptr<TlsClient> tls,
               sdk::Log& log)
  : server_{std::move(server)},
    loop_{loop},
    tls_{std::move(tls)},
    log_{log},
    random_{std::random_device{}()} {
}

Client::~Client() {
  for (const auto timer : {hold_timer_, connect_timer_, expiry_})
    loop_.cancel(timer);
  // The connection ends where it lived.
  if (connection_)
    loop_.post([connection = std::move(connection_)] { connection->close(); });
  const sdk::Error cancelled{sdk::ErrorKind::cancelled, "the step was stopped"};
  for (auto* entries : {&in_flight_, &again_, &waiting_})
    fail_all(*entries, cancelled);
}

// --- the connection

void Client::connect() {
  connect_timer_ = 0;
  connection_ = Connection::open(server_, loop_, tls_, weak_from_this());
}

void Client::on_ready() {
  why_down_.clear();
  put_again_first();
  pump();
}

void Client::on_closed(const ConnectionEnd& end) {
  why_down_ = end.error.message();
  if (!std::exchange(told_down_, true))
    log_.warn("redis connection lost", {{"server", server_->name}, {"error", why_down_}});
  connection_.reset();
  lose_in_flight(end);
  // Nothing of what waits will be let in.
  if (end.refused) {
    fail_all(again_, end.error);
    fail_all(waiting_, end.error);
  }
  holding_ = leaving_ = false;
  loop_.cancel(std::exchange(hold_timer_, 0));
  reconnect_later();
}

void Client::reconnect_later() {
  connect_timer_ = loop_.after(next_wait(), [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->connect();
  });
}

std::chrono::nanoseconds Client::next_wait() {
  return backoff.wait(++attempts_, random_);
}

// --- requests

void Client::call(std::vector<Request> requests) {
  loop_.post([self = shared_from_this(), requests = std::move(requests)]() mutable {
    self->take(std::move(requests));
  });
}

void Client::take(std::vector<Request> requests) {
  const auto deadline = sdk::system_clock().now() + server_->timeout;
  for (auto& request : requests)
    waiting_.push_back({.request = std::move(request), .deadline = deadline});
  arm();
  pump();
}

void Client::pump() {
  if (!connection_ || !connection_->is_ready() || holding_)
    return;
  std::string commands;
  const auto now = sdk::system_clock().now();
  while (!waiting_.empty() && bytes_in_flight_ < most_bytes_in_flight
         && in_flight_.size() < most_in_flight) {
    auto& entry = in_flight_.emplace_back(std::move(waiting_.front()));
    waiting_.pop_front();
    ++entry.tries;
    entry.sent_at = now;
    bytes_in_flight_ += entry.request.bytes.size();
    commands += entry.request.bytes;
  }
  if (!commands.empty())
    connection_->send(commands);
}

void Client::on_reply(Reply reply) {
  if (in_flight_.empty())
    return;
  auto entry = std::move(in_flight_.front());
  in_flight_.pop_front();
  bytes_in_flight_ -= entry.request.bytes.size();
  if (!reply.is(Reply::Kind::error)) {
    attempts_ = 0;
    if (std::exchange(told_down_, false))
      log_.info("redis connected again", {{"server", server_->name}});
    answer(entry, std::move(reply));
  } else if (const auto refusal = judge(reply.text);
             refusal == Refusal::final || !entry.request.caller) {
    answer(entry, refused(reply.text, server_->name));
  } else {
    why_down_ = refused(reply.text, server_->name).message();
    --entry.tries;  // it was not carried out
    again_.push_back(std::move(entry));
    hold(refusal == Refusal::elsewhere);
  }
  if (leaving_ && in_flight_.empty()) {
    connection_->close();
    on_closed({unreachable(server_->name, "it is a replica now, which takes no writes")});
    return;
  }
  pump();
}

// Nothing more is sent for a while.
void Client::hold(bool leave) {
  leaving_ = leaving_ || leave;
  if (std::exchange(holding_, true) || leaving_)
    return;
  hold_timer_ = loop_.after(next_wait(), [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->go_on();
  });
}

void Client::go_on() {
  hold_timer_ = 0;
  // All that was sent before is to come before those again.
  if (!in_flight_.empty()) {
    hold_timer_ = loop_.after(backoff.ceiling(1), [weak = weak_from_this()] {
      if (const auto self = weak.lock())
        self->go_on();
    });
    return;
  }
  holding_ = false;
  put_again_first();
  pump();
}

void Client::put_again_first() {
  waiting_.insert(waiting_.begin(), std::make_move_iterator(again_.begin()),
                  std::make_move_iterator(again_.end()));
  again_.clear();
}

void Client::lose_in_flight(const ConnectionEnd& end) {
  const auto now = sdk::system_clock().now();
  bytes_in_flight_ = 0;
  bool first = true;
  for (auto& entry : std::exchange(in_flight_, {})) {
    const bool guilty = std::exchange(first, false) && end.too_large;
    const bool repeatable = entry.request.is_repeatable;
    if (!entry.request.caller)
      continue;
    if (guilty)
      answer(entry, end.error);
    else if (entry.deadline <= now)
      answer(entry, late(server_->name, true, !repeatable, why_down_));
    else if (repeatable && entry.tries < most_tries)
      again_.push_back(std::move(entry));
    else
      answer(entry, lost(server_->name, !repeatable, entry.tries));
  }
}

void Client::fail_all(Entries& entries, const sdk::Error& error) {
  for (auto& entry : std::exchange(entries, {}))
    answer(entry, error);
}

void Client::answer(Entry& entry, sdk::Result<Reply> answer) {
  if (const auto caller = std::exchange(entry.request.caller, nullptr))
    caller->on_answer(entry.request.index, std::move(answer));
}

// --- time

void Client::arm() {
  if (expiry_ != 0)
    return;
  const Entry* next = nullptr;
  const auto look_at = [&](const Entries& entries) {
    const auto found = std::ranges::find_if(
      entries, [](const Entry& entry) { return entry.request.caller != nullptr; });
    if (found != entries.end() && (!next || found->deadline < next->deadline))
      next = &*found;
  };
  look_at(in_flight_);
  look_at(again_);
  look_at(waiting_);
  if (!next)
    return;
  const auto wait = std::max<sdk::Instant::duration>(next->deadline - sdk::system_clock().now(),
                                                     sdk::Instant::duration::zero());
  expiry_ = loop_.after(wait, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->expire();
  });
}

void Client::expire() {
  expiry_ = 0;
  const auto now = sdk::system_clock().now();
  bool is_deaf = false;
  for (auto& entry : in_flight_) {
    if (!entry.request.caller || entry.deadline > now)
      continue;
    answer(entry, late(server_->name, true, !entry.request.is_repeatable, {}));
    // A slow server says something now and then; a dead line never does.
    is_deaf = is_deaf || (connection_ && connection_->last_read() < entry.sent_at);
  }
  expire_unsent(again_, now);
  expire_unsent(waiting_, now);
  if (is_deaf && connection_) {
    connection_->close();
    on_closed({unreachable(server_->name, "it has said nothing for longer than 'timeout'")});
  }
  arm();
}

void Client::expire_unsent(Entries& entries, sdk::Instant now) {
  for (auto& entry : entries) {
    if (entry.deadline <= now)
      answer(entry, late(server_->name, false, false, why_down_));
  }
  std::erase_if(entries, [](const Entry& entry) { return !entry.request.caller; });
}

}  // namespace millrace::redis
