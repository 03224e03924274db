// Rows that go in by COPY, outside of libpq's pipeline: the server takes them while the next ones
// are encoded. A savepoint stands before them, so that they can go anew as text where a value turns
// out to have no sure binary form, and so that one which cannot be sent leaves the transaction
// usable.
#include "connectors/postgres/errors.hpp"
#include "connectors/postgres/wire_alone.hpp"

#include <string>
#include <utility>

namespace millrace::postgres {

namespace {

constexpr std::size_t most_ahead = 256UL * 1024;  // bytes encoded before the server takes any
constexpr std::size_t most_put = 1UL << 20U;      // bytes; libpq counts them in an int

std::string joined(const std::vector<std::string>& columns) {
  std::string list;
  for (const auto& column : columns)
    list.append(list.empty() ? "" : ", ").append(column);
  return list;
}

}  // namespace

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
  alone_->step = Alone::Step::ready;
}

void PostgresWire::start_copy(std::string_view before) {
  const auto& bulk = *alone_->queued.entry.statement->bulk;
  std::string sql{before};
  sql += "; COPY " + bulk.table + " (" + joined(bulk.columns) + ") FROM STDIN";
  sql += alone_->encoder->options();
  sql += "; RELEASE SAVEPOINT millrace_copy";
  alone_->step = Alone::Step::starting;
  auto* raw = connection_.get();
  if (PQexitPipelineMode(raw) != 1 || PQsendQuery(raw, sql.c_str()) != 1) {
    lose(loss_error(raw), false);
    return;
  }
  flush();
  copy_rows();
}

// A slice per turn of the loop, as long as the server keeps up.
void PostgresWire::copy_rows() {
  using Step = Alone::Step;
  const auto goes_on = [this] {
    return !closed_ && alone_ && (alone_->step == Step::starting || alone_->step == Step::copying)
           && !alone_->refused && !alone_->as_text;
  };
  if (!goes_on())
    return;
  if (!alone_->encoded) {
    if (alone_->step == Step::starting && alone_->encoder->data().size() >= most_ahead)
      return;  // goes on when the server says that it takes them
    encode_rows();
  }
  if (alone_->step == Step::copying)
    put_rows();
  if (!goes_on() || alone_->encoded)
    return;
  alone_->waits = alone_->step == Step::copying && writing_;
  if (!alone_->waits)
    loop_.post([self = shared_from_this()] { self->copy_rows(); });
}

void PostgresWire::encode_rows() {
  const auto progress = alone_->encoder->step();
  if (!progress)
    alone_->refused = progress.error();
  else if (*progress == CopyEncoder::Progress::not_binary)
    alone_->as_text = true;
  else
    alone_->encoded = *progress == CopyEncoder::Progress::done;
}

// What the server thinks of the rows it says when it has them all.
void PostgresWire::put_rows() {
  auto* raw = connection_.get();
  const bool stops = alone_->refused || alone_->as_text;
  bool put = true;
  for (auto rest = alone_->encoder->data(); put && !stops && !rest.empty();) {
    const auto piece = rest.substr(0, most_put);
    put = PQputCopyData(raw, piece.data(), static_cast<int>(piece.size())) == 1;
    rest.remove_prefix(piece.size());
  }
  alone_->encoder->drop_data();
  if (put && (stops || alone_->encoded)) {
    put = PQputCopyEnd(raw, stops ? "a value cannot be written in this form" : nullptr) == 1;
    alone_->step = Alone::Step::ending;
  }
  if (put)
    flush();
  else
    lose(loss_error(raw), false);
}

void PostgresWire::resume_copy() {
  if (!alone_ || !std::exchange(alone_->waits, false))
    return;
  loop_.post([self = shared_from_this()] { self->copy_rows(); });
}

void PostgresWire::process_copy() {
  const auto answers = [this] {
    return alone_ && (alone_->step == Alone::Step::starting || alone_->step == Alone::Step::ending);
  };
  while (!closed_ && answers() && PQisBusy(connection_.get()) == 0) {
    ResultPtr result{PQgetResult(connection_.get())};
    if (result)
      take_copy_result(std::move(result));
    else
      end_copy();
  }
}

void PostgresWire::take_copy_result(ResultPtr result) {
  if (ends_connection(result.get())) {
    lose(to_error(result.get()), true);
    return;
  }
  if (is_broken_connection(result.get())) {
    lose(fatal_.value_or(loss_error(connection_.get())), fatal_.has_value());
    return;
  }
  if (PQresultStatus(result.get()) == PGRES_COPY_IN) {
    alone_->step = Alone::Step::copying;
    if (alone_->encoded || alone_->refused || alone_->as_text)
      put_rows();
    else
      copy_rows();
    return;
  }
  // The answer to COPY stands between those to what goes before and behind it.
  const bool copied = alone_->result && is_good(alone_->result.get())
                      && std::string_view{PQcmdStatus(alone_->result.get())}.starts_with("COPY");
  if (!copied || !is_good(result.get()))
    alone_->result = std::move(result);
}

void PostgresWire::end_copy() {
  auto* raw = connection_.get();
  if (!alone_->result) {
    lose(fatal_.value_or(loss_error(raw)), fatal_.has_value());
    return;
  }
  if (std::exchange(alone_->as_text, false)) {
    alone_->result.reset();
    alone_->encoder->begin_text();
    start_copy("ROLLBACK TO SAVEPOINT millrace_copy");
    return;
  }
  if (PQenterPipelineMode(raw) != 1) {
    lose(loss_error(raw), false);
    return;
  }
  const auto done = std::move(alone_);
  --in_flight_;
  if (done->refused) {
    answers_.push_back({done->queued.entry.id, *done->refused, false});
    return;
  }
  Pending copied{Kind::entry, std::move(done->result), std::move(done->queued)};
  answer(copied);
}

}  // namespace millrace::postgres
