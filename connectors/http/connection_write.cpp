// Connection, the part that answers, ends, and keeps time.
#include "connectors/http/connection.hpp"
#include "connectors/http/port.hpp"

#include <utility>

namespace millrace::http {
namespace {

using namespace std::chrono_literals;

constexpr auto linger_time = 2s;

}  // namespace

void Connection::answer(std::uint64_t exchange, Response response) {
  loop_.post([self = shared_from_this(), exchange, response = std::move(response)] {
    if (self->phase_ == Phase::working && self->number_ == exchange)
      self->write_response(response);
  });
}

void Connection::respond(Response response, bool close) {
  close_after_ = close_after_ || close;
  write_response(response);
}

void Connection::write_response(const Response& response) {
  phase_ = Phase::writing;
  const auto self = std::exchange(self_, nullptr);
  exchange_.reset();
  close_after_ = close_after_ || traffic_->draining();
  set_deadline(
    traffic_->limits().body);  // a client that does not read is no better than a slow one
  write(serialized(response,
                   {.close = close_after_, .with_body = with_body_, .old_client = old_client_}));
  with_body_ = true;
}

// The answer may come while "100 Continue" is on its way.
void Connection::write(std::string bytes) {
  if (writing_) {
    waiting_ += bytes;
    return;
  }
  writing_ = true;
  out_ = std::move(bytes);
  stream_->write(out_, shared_from_this());
}

void Connection::on_written(bool ok) {
  writing_ = false;
  if (phase_ == Phase::closed)
    return;
  if (!ok) {
    close();
    return;
  }
  if (!waiting_.empty())
    write(std::exchange(waiting_, {}));
  else if (phase_ == Phase::writing)
    finish_response();
}

void Connection::finish_response() {
  release_exchange();
  if (close_after_ || traffic_->draining())
    linger();
  else
    begin_request();
}

// Closing with bytes unread would reset the connection, and the client would lose our answer.
void Connection::linger() {
  if (peer_closed_) {
    close();
    return;
  }
  phase_ = Phase::lingering;
  set_deadline(linger_time);
  stream_->finish(shared_from_this());
  read();
}

void Connection::close() {
  if (phase_ == Phase::closed)
    return;
  phase_ = Phase::closed;
  const auto self = std::exchange(self_, nullptr);
  if (exchange_)
    exchange_->abandon();
  exchange_.reset();
  release_exchange();
  loop_.cancel(std::exchange(timer_, 0));
  stream_->close();
}

void Connection::release_exchange() {
  if (const auto port = std::exchange(port_, nullptr))
    port->written();
}

void Connection::drain() {
  loop_.post([self = shared_from_this()] {
    if (self->phase_ == Phase::opening || self->phase_ == Phase::idle)
      self->close();
  });
}

// --- time

void Connection::set_deadline(std::chrono::nanoseconds from_now) {
  deadline_ = sdk::system_clock().now()
              + std::chrono::duration_cast<sdk::Instant::duration>(from_now);
  // A timer that is armed for an earlier time looks again when it comes.
  if (deadline_ < armed_for_)
    arm_timer();
}

void Connection::arm_timer() {
  loop_.cancel(timer_);
  armed_for_ = deadline_;
  const auto rest = std::max(deadline_ - sdk::system_clock().now(), sdk::Instant::duration::zero());
  timer_ = loop_.after(rest, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->on_timer();
  });
}

void Connection::on_timer() {
  timer_ = 0;
  armed_for_ = sdk::Instant::max();
  if (phase_ == Phase::closed)
    return;
  if (sdk::system_clock().now() >= deadline_)
    on_deadline();
  else
    arm_timer();
}

void Connection::on_deadline() {
  switch (phase_) {
  case Phase::head:
  case Phase::body:
    respond(problem(408, "the request came too slowly"), true);
    break;
  case Phase::working:
    // Whoever waits for it in the pipeline is told that nobody waits here.
    exchange_->abandon();
    if (const auto exchange = exchange_)
      exchange->answer(problem(504, "the answer took too long", exchange->request_id()));
    set_deadline(traffic_->limits().body);
    break;
  default:
    close();
  }
}

}  // namespace millrace::http
