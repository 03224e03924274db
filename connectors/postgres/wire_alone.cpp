#include "connectors/postgres/wire_alone.hpp"

#include "connectors/postgres/errors.hpp"
#include "connectors/sdk/notification.hpp"

#include <array>
#include <string>
#include <thread>
#include <utility>

namespace millrace::postgres {

namespace {

constexpr std::size_t most_put = 1UL << 20U;  // bytes; libpq counts them in an int

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

std::string joined(const std::vector<std::string>& columns) {
  std::string list;
  for (const auto& column : columns)
    list.append(list.empty() ? "" : ", ").append(column);
  return list;
}

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
  // Nothing was pending: what is now are settings, with a Sync of their own.
  if (!write_settings(alone_->queued) || (!pending_.empty() && !write_sync()))
    return false;
  return statement->bulk ? inspect_columns() : advance_alone();
}

// A stream's statement goes out when nothing is before it: libpq reads row by row only what is
// next.
bool PostgresWire::advance_alone() {
  if (!alone_ || !alone_->stream || alone_->step != Alone::Step::settings || !pending_.empty())
    return true;
  return send_stream();
}

// --- COPY

// By the types that the columns have inside this very transaction, which nobody can change until it
// ends.
bool PostgresWire::inspect_columns() {
  const auto& bulk = *alone_->queued.entry.statement->bulk;
  const auto sql = "SELECT " + joined(bulk.columns) + " FROM " + bulk.table;
  alone_->step = Alone::Step::inspecting;
  auto* raw = connection_.get();
  if (PQsendPrepare(raw, "", sql.c_str(), 0, nullptr) != 1)
    return false;
  pending_.push_back({Kind::inspect});
  if (PQsendDescribePrepared(raw, "") != 1)
    return false;
  pending_.push_back({Kind::inspect});
  return write_sync();
}

void PostgresWire::finish_inspecting() {
  std::vector<Oid> types;
  for (const auto& pending : group_) {
    if (PQresultStatus(pending.result.get()) == PGRES_FATAL_ERROR) {
      fail_alone(to_error(pending.result.get()));
      return;
    }
  }
  const auto* described = group_.back().result.get();
  types.reserve(static_cast<std::size_t>(PQnfields(described)));
  for (int i = 0; i < PQnfields(described); ++i)
    types.push_back(PQftype(described, i));
  const auto& bulk = alone_->queued.entry.statement->bulk;
  if (types.size() != bulk->columns.size()) {
    fail_alone(
      {sdk::ErrorKind::internal, "the server describes other columns than were asked for"});
    return;
  }
  // Where the transaction has ended or was never begun, the rows would stay without it.
  if (PQtransactionStatus(connection_.get()) != PQTRANS_INTRANS) {
    fail_alone({sdk::ErrorKind::transaction,
                "rows are copied inside a transaction only",
                {.code = "25P01"}});
    return;
  }
  std::vector<Oid> written_as;
  written_as.reserve(types.size());
  for (const auto type : types)
    written_as.push_back(user_types_->stands_for(type));
  alone_->encoder = std::make_unique<CopyEncoder>(bulk, std::move(types), std::move(written_as));
  alone_->step = Alone::Step::encoding;
  loop_.post([self = shared_from_this()] { self->encode_rows(); });
}

// A slice per turn of the loop.
void PostgresWire::encode_rows() {
  if (closed_ || !alone_)
    return;
  const auto more = alone_->encoder->step();
  if (!more) {
    fail_alone(more.error());
    go_on();
  } else if (*more) {
    loop_.post([self = shared_from_this()] { self->encode_rows(); });
  } else {
    start_copy();
  }
}

void PostgresWire::start_copy() {
  const auto& bulk = *alone_->queued.entry.statement->bulk;
  auto sql = "COPY " + bulk.table + " (" + joined(bulk.columns) + ") FROM STDIN";
  sql += alone_->encoder->options();
  alone_->step = Alone::Step::starting;
  auto* raw = connection_.get();
  if (PQexitPipelineMode(raw) != 1 || PQsendQuery(raw, sql.c_str()) != 1) {
    lose(loss_error(raw), false);
    return;
  }
  flush();
}

void PostgresWire::process_copy() {
  const auto copies = [this] {
    return alone_
           && (alone_->step == Alone::Step::starting || alone_->step == Alone::Step::copying);
  };
  while (!closed_ && copies() && PQisBusy(connection_.get()) == 0) {
    ResultPtr result{PQgetResult(connection_.get())};
    if (result)
      take_copy_result(std::move(result));
    else
      end_copy();
  }
}

void PostgresWire::take_copy_result(ResultPtr result) {
  auto* raw = connection_.get();
  if (ends_connection(result.get())) {
    lose(to_error(result.get()), true);
    return;
  }
  if (is_broken_connection(result.get())) {
    lose(fatal_.value_or(loss_error(raw)), fatal_.has_value());
    return;
  }
  if (PQresultStatus(result.get()) != PGRES_COPY_IN) {
    alone_->result = std::move(result);
    return;
  }
  // What the server thinks of the rows it says when it has them all.
  alone_->step = Alone::Step::copying;
  bool put = true;
  for (std::string_view rest{alone_->encoder->data()}; put && !rest.empty();) {
    const auto piece = rest.substr(0, most_put);
    put = PQputCopyData(raw, piece.data(), static_cast<int>(piece.size())) == 1;
    rest.remove_prefix(piece.size());
  }
  if (!put || PQputCopyEnd(raw, nullptr) != 1) {
    lose(loss_error(raw), false);
    return;
  }
  alone_->encoder.reset();
  flush();
}

void PostgresWire::end_copy() {
  auto* raw = connection_.get();
  if (!alone_->result || PQenterPipelineMode(raw) != 1) {
    lose(fatal_.value_or(loss_error(raw)), fatal_.has_value());
    return;
  }
  const auto done = std::move(alone_);
  --in_flight_;
  Pending copied{Kind::entry, std::move(done->result), std::move(done->queued)};
  answer(copied);
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
