#include "connectors/postgres/wire_alone.hpp"

#include "connectors/postgres/errors.hpp"
#include "connectors/sdk/notification.hpp"

#include <array>
#include <string>
#include <thread>
#include <utility>

namespace millrace::postgres {

namespace {

// Rows of a stream, each as libpq gave it.
class StreamedRows final : public sdk::RawResult {
public:
  StreamedRows(std::vector<ResultPtr> rows, std::shared_ptr<ShapeSlot> shape)
    : rows_{std::move(rows)}, shape_{std::move(shape)} {}

  sdk::Result<sdk::SqlResult> decode() override {
    take_shape(rows_.front().get(), *shape_);
    sdk::SqlResult decoded{.rowcount = static_cast<std::int64_t>(rows_.size()),
                           .shape = shape_->shape};
    decoded.rows.reserve(rows_.size());
    RowReader reader{rows_.front().get(), *shape_};
    for (auto& row : rows_) {
      sdk::Value object;
      if (!reader.read(row.get(), 0, object))
        return RowReader::failure();
      decoded.rows.push_back(std::move(object));
      row.reset();
    }
    return decoded;
  }

private:
  std::vector<ResultPtr> rows_;
  std::shared_ptr<ShapeSlot> shape_;
};

sdk::Error cancelled() {
  return {sdk::ErrorKind::cancelled, "nobody wants the rows any more", {.code = "57014"}};
}

struct FreeNotification {
  void operator()(PGnotify* notification) const noexcept { PQfreemem(notification); }
};

}  // namespace

bool PostgresWire::is_alone(const Queued& queued) {
  const auto& statement = queued.entry.statement;
  return statement && (statement->bulk || statement->stream);
}

// BEGIN may travel with the first statement, but not with one of these.
void PostgresWire::separate_alone() {
  for (std::size_t i = 1; i < queue_.size(); ++i) {
    if (is_alone(queue_[i]))
      queue_[i - 1].entry.sync = true;
  }
}

bool PostgresWire::begin_alone() {
  alone_ = std::make_unique<Alone>(Alone{std::move(source().front())});
  source().pop_front();
  ++in_flight_;
  const auto statement = alone_->queued.entry.statement;
  alone_->stream = statement->stream;
  // Settings have a Sync of their own.
  const auto before = pending_.size();
  if (!write_settings(alone_->queued) || (pending_.size() > before && !write_sync()))
    return false;
  return statement->bulk ? inspect_columns() : advance_alone();
}

// A stream's statement goes out when nothing is before it: libpq reads row by row only what is
// next. Nor does libpq leave its pipeline, as COPY needs it, before it has given all of it away.
bool PostgresWire::advance_alone() {
  if (!alone_ || !pending_.empty())
    return true;
  if (alone_->step == Alone::Step::ready)
    start_copy("SAVEPOINT millrace_copy");
  else if (alone_->stream && alone_->step == Alone::Step::settings)
    return send_stream();
  return true;
}

void PostgresWire::fail_alone(const sdk::Error& error) {
  answers_.push_back({alone_->queued.entry.id, error, false});
  --in_flight_;
  alone_.reset();
}

// --- streams

bool PostgresWire::send_stream() {
  if (alone_->stream->cancelled()) {
    fail_alone(cancelled());
    return true;
  }
  alone_->step = Alone::Step::streaming;
  alone_->shape->users = user_types_;
  --in_flight_;  // `write_entry` counts it
  if (!encode(alone_->queued) || !write_entry(std::move(alone_->queued))
      || PQsetSingleRowMode(connection_.get()) != 1 || !write_sync())
    return false;
  alone_->stream->when_cancelled([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->gate_->post([self] { self->cancel_stream(); });
  });
  return true;
}

void PostgresWire::take_row(ResultPtr row) {
  if (!alone_ || !alone_->stream)
    return;
  alone_->rows.push_back(std::move(row));
  if (alone_->rows.size() >= alone_->stream->piece_rows())
    push_rows();
  if (alone_->rows.empty() && !alone_->stream->has_room())
    hold_until([stream = alone_->stream](auto resume) { stream->when_room(std::move(resume)); });
}

void PostgresWire::push_rows() {
  if (!alone_->rows.empty())
    alone_->stream->push(
      std::make_unique<StreamedRows>(std::exchange(alone_->rows, {}), alone_->shape));
}

// The statement's last result is there: its answer comes behind all rows.
void PostgresWire::end_stream() {
  if (!alone_ || alone_->step != Alone::Step::streaming)
    return;
  push_rows();
  alone_.reset();
}

// The rest is read and dropped. Nothing goes out before the cancel is over: it hits whatever runs.
void PostgresWire::cancel_stream() {
  if (closed_ || !alone_ || alone_->step != Alone::Step::streaming || cancelling_)
    return;
  cancelling_ = true;
  auto over = [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->closed_)
      return;
    self->cancelling_ = false;
    self->go_on();
  };
  // libpq 15 can only cancel by blocking: connect, send, read. The thread may outlive all of us.
  std::thread{[gate = gate_, over, cancel = PQgetCancel(connection_.get())] {
    std::array<char, 256> reason{};
    PQcancel(cancel, reason.data(), static_cast<int>(reason.size()));
    PQfreeCancel(cancel);
    gate->post(over);
  }}.detach();
}

// --- notifications

void PostgresWire::hear() {
  if (closed_)
    return;
  const auto listener = listener_.lock();
  if (!listener)
    return;
  while (const std::unique_ptr<PGnotify, FreeNotification> found{PQnotifies(connection_.get())})
    listener->notified({found->relname, found->extra, found->be_pid});
  if (!held_ && !listener->ready())
    hold_until([listener](auto resume) { listener->when_ready(std::move(resume)); });
}

}  // namespace millrace::postgres
