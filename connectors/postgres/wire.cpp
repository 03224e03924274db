#include "connectors/postgres/wire.hpp"

#include "connectors/asio/reactor.hpp"
#include "connectors/postgres/errors.hpp"
#include "connectors/postgres/farewell.hpp"
#include "connectors/postgres/sqlstate.hpp"
#include "connectors/postgres/wire_alone.hpp"
#include "connectors/sdk/notification.hpp"

#include <algorithm>
#include <utility>

namespace millrace::postgres {

namespace {

constexpr std::chrono::milliseconds longest_farewell{1'000};

}  // namespace

PostgresWire::PostgresWire(const sdk::DatabaseSettings& settings, sdk::EventLoop& loop,
                           sdk::WireEvents events)
  : settings_{settings},
    loop_{loop},
    events_{std::move(events)},
    gate_{std::make_shared<sdk::LoopGate>(loop)},
    descriptor_{asio::io_context_of(loop)},
    statements_{settings.pool_mode == sdk::PoolMode::transaction ? 0 : settings.statement_cache} {
}

PostgresWire::~PostgresWire() {
  gate_->shut();
  if (connection_ && in_flight_ > 0)
    request_cancel(connection_.get());
  // The descriptor is libpq's to close.
  if (descriptor_.is_open())
    descriptor_.release();
}

void PostgresWire::connect() {
  loop_.post([self = shared_from_this()] {
    if (self->closed_)
      return;
    self->dialer_ = std::make_shared<Dialer>(
      self->settings_, self->loop_, self->gate_,
      // Not its owner: they would keep each other where the loop ends before the dialling does.
      [weak = self->weak_from_this()](ConnectionPtr connection,
                                      std::optional<DialFailure> failure) {
        if (const auto wire = weak.lock())
          wire->dialed(std::move(connection), std::move(failure));
      });
    self->dialer_->start();
  });
}

void PostgresWire::send(std::vector<sdk::WireEntry> entries) {
  loop_.post([self = shared_from_this(), entries = std::move(entries)]() mutable {
    // Where the connection was lost while these were on their way, the loss does not name them:
    // they never left.
    if (self->closed_)
      return;
    for (auto& entry : entries) {
      self->limited_ = self->limited_ || self->limit_of(entry).has_value();
      self->explicit_ = self->explicit_
                        || (entry.statement && begins_transaction(entry.statement->sql));
      self->queue_.push_back({std::move(entry)});
    }
    self->separate_alone();
    if (!self->leaving_)
      self->pump();
    self->deliver();
  });
}

void PostgresWire::cancel() {
  loop_.post([self = shared_from_this()] { self->cancel_now(); });
}

void PostgresWire::close() {
  gate_->shut();  // now: the loop may be gone before it comes to this
  loop_.post([self = shared_from_this()] {
    self->lose({sdk::ErrorKind::connection, "the connection was closed", {.code = "08006"}}, false);
  });
}

void PostgresWire::dialed(ConnectionPtr connection, std::optional<DialFailure> failure) {
  if (closed_)
    return;
  if (failure) {
    lose(failure->error, true, !failure->refused);
    return;
  }
  dialer_.reset();
  connection_ = std::move(connection);
  PQsetNoticeReceiver(connection_.get(), &PostgresWire::on_notice, this);
  descriptor_.assign(PQsocket(connection_.get()));
  events_.connected();
  read_on();
  if (settings_.pool_mode == sdk::PoolMode::transaction)
    set_style();
  pump();
}

// Reading never stops, also while there is much to write: else both sides could wait for the other
// to read.
void PostgresWire::read_on() {
  if (reading_ || held_)
    return;
  reading_ = true;
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                         [self = shared_from_this()](const boost::system::error_code& failure) {
                           self->reading_ = false;
                           if (!failure && !self->closed_)
                             self->readable();
                         });
}

void PostgresWire::readable() {
  const bool alive = PQconsumeInput(connection_.get()) == 1;
  process_on();
  if (!closed_ && !alive)
    lose(fatal_.value_or(loss_error(connection_.get())), fatal_.has_value());
  go_on();
}

void PostgresWire::process_on() {
  note_progress();
  process();
  hear();
}

void PostgresWire::go_on() {
  if (closed_)
    return;
  idle_ = pending_.empty();
  if (explicit_ && idle_ && queue_.empty() && again_.empty()
      && PQtransactionStatus(connection_.get()) == PQTRANS_IDLE)
    explicit_ = false;
  if (!leaving_)
    pump();
  deliver();
  end_if_left();
  if (!closed_)
    read_on();
}

void PostgresWire::flush() {
  const int left = PQflush(connection_.get());
  if (left < 0) {
    // What the server said before it closed is still to be read.
    PQconsumeInput(connection_.get());
    process();
    if (!closed_)
      lose(fatal_.value_or(loss_error(connection_.get())), fatal_.has_value());
    return;
  }
  watch();
  if (left == 0)
    resume_copy();
  if (left == 0 || writing_)
    return;
  writing_ = true;
  descriptor_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                         [self = shared_from_this()](const boost::system::error_code& failure) {
                           self->writing_ = false;
                           if (!failure && !self->closed_)
                             self->flush();
                         });
}

void PostgresWire::deliver() {
  if (answers_.empty())
    return;
  // Some errors say that the connection is of no use any more.
  if (!leaving_ && std::ranges::any_of(answers_, [](const sdk::WireAnswer& answer) {
        return !answer.result && rule_for(answer.result.error().code()).evict;
      }))
    leave();
  std::erase_if(answers_,
                [this](const sdk::WireAnswer& answer) { return is_abandoned(answer.id); });
  if (!answers_.empty())
    events_.answered(std::exchange(answers_, {}));
}

// Reads nothing until `ready` calls back.
void PostgresWire::hold_until(const std::function<void(std::function<void()>)>& ready) {
  held_ = true;
  ready([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self)
      return;
    self->gate_->post([self] {
      if (self->closed_ || !std::exchange(self->held_, false))
        return;
      self->process_on();
      self->go_on();
    });
  });
}

void PostgresWire::report_unanswered(sdk::WireLoss& loss) {
  using sdk::StatementPhase;
  for (auto& pending : group_)
    pending_.push_back(std::move(pending));
  for (auto& pending : pending_) {
    if (pending.kind != Kind::entry)
      continue;
    const auto status = pending.result ? PQresultStatus(pending.result.get()) : PGRES_EMPTY_QUERY;
    const bool failed = status == PGRES_FATAL_ERROR && !ends_connection(pending.result.get());
    const auto id = pending.queued.entry.id;
    if (failed)
      answer(pending);  // what failed stays failed, Sync or not
    else if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
      loss.unanswered.push_back({id, StatementPhase::complete, take_result(pending)});
    else
      loss.unanswered.push_back({id, StatementPhase::written});
  }
  if (alone_ && alone_->step != Alone::Step::streaming)
    loss.unanswered.push_back({alone_->queued.entry.id, alone_->step >= Alone::Step::starting
                                                          ? StatementPhase::written
                                                          : StatementPhase::queued});
  alone_.reset();
  for (const auto& queue : {&again_, &queue_}) {
    for (const auto& queued : *queue)
      loss.unanswered.push_back({queued.entry.id, StatementPhase::queued});
  }
  pending_.clear();
  group_.clear();
  again_.clear();
  queue_.clear();
}

void PostgresWire::lose(const sdk::Error& error, bool server_ended, bool may_retry) {
  if (std::exchange(closed_, true))
    return;
  if (dialer_)
    dialer_->stop();
  dialer_.reset();
  sdk::WireLoss loss{error};
  // A bouncer's farewell, or that of anything else in between, says nothing of what its server did
  // with what it had been sent.
  loss.server_ended = server_ended && settings_.pool_mode == sdk::PoolMode::session
                      && !error.code().starts_with("08");
  loss.other_host_may_do = may_retry;
  report_unanswered(loss);
  std::erase_if(loss.unanswered,
                [this](const sdk::UnansweredEntry& entry) { return is_abandoned(entry.id); });
  loop_.cancel(std::exchange(watch_timer_, 0));
  loop_.cancel(std::exchange(leave_timer_, 0));
  if (descriptor_.is_open())
    descriptor_.release();
  deliver();
  if (const auto listener = listener_.lock())
    listener->lost(loss.error);
  // What it runs would hold its place at the server for as long as it likes.
  if (connection_ && in_flight_ > 0 && !server_ended
      && PQstatus(connection_.get()) == CONNECTION_OK)
    request_cancel(connection_.get());
  part(std::move(connection_), loop_, longest_farewell,
       [events = std::exchange(events_, {}), loss = std::move(loss)] { events.lost(loss); });
}

void PostgresWire::on_notice(void* self, const PGresult* notice) {
  // An idle connection hears of its end in this way.
  if (ends_connection(notice))
    static_cast<PostgresWire*>(self)->fatal_ = to_error(notice);
}

}  // namespace millrace::postgres
