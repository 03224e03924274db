// What a wire reads: results in the order sent, then the Sync that makes them final.
#include "connectors/postgres/errors.hpp"
#include "connectors/postgres/wire.hpp"

#include <algorithm>
#include <utility>

namespace millrace::postgres {

namespace {

sdk::Error neighbour_failed() {
  return {sdk::ErrorKind::transaction,
          "rolled back, because another statement of its batch failed",
          {.code = "25P02"}};
}

}  // namespace

void PostgresWire::process() {
  auto* raw = connection_.get();
  style_.reset();
  process_copy();
  // Looks at what has come in also where nothing is awaited: the farewell of an idle connection.
  while (!closed_ && !held_ && PQisBusy(raw) == 0 && !pending_.empty()) {
    ResultPtr result{PQgetResult(raw)};
    if (!result) {
      // The end of one statement's results. Without any, libpq has nothing for us: the connection
      // is dying.
      if (pending_.front().kind == Kind::sync || !pending_.front().result)
        break;
      group_.push_back(std::move(pending_.front()));
      pending_.pop_front();
      read_by_row();
      continue;
    }
    if (!take(std::move(result)))
      break;
  }
  if (!closed_ && fatal_)
    lose(*fatal_, true);
}

// @returns false when the connection is at its end.
bool PostgresWire::take(ResultPtr result) {
  if (PQresultStatus(result.get()) == PGRES_SINGLE_TUPLE) {
    if (pending_.front().rows)
      pending_.front().rows->take(result.get());
    else
      take_row(std::move(result));
    return true;
  }
  // After either no Sync will come any more, for nobody.
  if (ends_connection(result.get())) {
    fatal_ = to_error(result.get());
    return false;
  }
  if (is_broken_connection(result.get())) {
    lose(fatal_.value_or(loss_error(connection_.get())), fatal_.has_value());
    return false;
  }
  auto& front = pending_.front();
  if (front.kind != Kind::sync) {
    front.result = std::move(result);
    return true;
  }
  if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
    front.result = std::move(
      result);  // the commit itself failed: deferred constraints, serialization
    ResultPtr end{PQgetResult(connection_.get())};
    return true;
  }
  auto sync_error = std::move(front.result);
  pending_.pop_front();
  ++syncs_back_;
  read_by_row();
  finish_group(std::move(sync_error));
  return true;
}

void PostgresWire::finish_group(ResultPtr sync_error) {
  if (!group_.empty() && group_.front().kind == Kind::prepare)
    finish_preparing();
  else if (!group_.empty() && group_.front().kind == Kind::look_up)
    finish_look_up();
  else if (!group_.empty() && group_.front().kind == Kind::inspect)
    finish_inspecting();
  else
    finish_entries(sync_error.get());
  group_.clear();
}

void PostgresWire::finish_preparing() {
  const auto statement = std::exchange(preparing_, nullptr);
  const auto* prepared = group_.front().result.get();
  const auto* described = group_.back().result.get();
  if (is_good(prepared) && is_good(described)) {
    statement->types.reserve(static_cast<std::size_t>(PQnparams(described)));
    for (int i = 0; i < PQnparams(described); ++i)
      statement->types.push_back(PQparamtype(described, i));
    for (int i = 0; i < PQnfields(described); ++i)
      statement->columns.push_back(PQftype(described, i));
    if (look_up_types(described))
      preparing_ = statement;  // goes on when the answer is there
    else
      keep_prepared(statement);
    return;
  }
  prepare_failed(*statement, prepared);
}

void PostgresWire::prepare_failed(const PreparedStatement& statement, const PGresult* failure) {
  // Nothing else is under way, so the state is known: inside a transaction the failure has ended
  // it.
  const bool in_transaction = PQtransactionStatus(connection_.get()) == PQTRANS_INERROR;
  auto& queue = source();
  for (std::size_t i = 0; i < queue.size(); ++i) {
    auto& queued = queue[i];
    const bool is_about = queued.entry.about && queued.entry.about->sql == *statement.sql;
    if (!is_about && queued.sql() != *statement.sql)
      continue;
    const bool retype = wants_types(failure) && !preparing_typed_ && !queued.entry.form;
    const auto& source = is_about ? *queued.entry.about : *queued.entry.statement;
    if (in_transaction) {
      answer_group(group_size(queue), i, to_error(failure));
    } else if (queued.entry.form) {
      answers_.push_back({queued.entry.id, to_error(failure), false, true, true});
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      std::vector<Oid> types;
      for (const auto& value : source.sets[is_about ? 0 : queued.entry.set])
        types.push_back(type_for(value));
      if (retype && !types.empty() && prepare(*statement.sql, types))
        return;
      // The others of its group would fail in the same way, one after the other.
      for (std::size_t other = 0, size = group_size(queue); other < size; ++other) {
        const auto& about = queue[other].entry.about;
        if (about && about->sql == *statement.sql)
          queue[other].about_unknown = true;
        if (queue[other].sql() == *statement.sql)
          queue[other].direct = true;
      }
    }
    return;
  }
}

// @returns whether the catalog was asked: for types that are not PostgreSQL's own, once each.
bool PostgresWire::look_up_types(const PGresult* described) {
  std::vector<Oid> all;
  all.reserve(static_cast<std::size_t>(PQnparams(described))
              + static_cast<std::size_t>(PQnfields(described)));
  for (int i = 0; i < PQnparams(described); ++i)
    all.push_back(PQparamtype(described, i));
  for (int i = 0; i < PQnfields(described); ++i)
    all.push_back(PQftype(described, i));
  looked_up_ = user_types_->unknown_of(all);
  if (looked_up_.empty())
    return false;
  pending_.push_back({Kind::look_up});
  const auto query = UserTypes::catalog_query(looked_up_);
  if (PQsendQueryParams(connection_.get(), query.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0)
        != 1
      || !write_sync())
    lose(loss_error(connection_.get()), false);
  return true;
}

void PostgresWire::finish_look_up() {
  const auto statement = std::exchange(preparing_, nullptr);
  // Where the catalog could not be read they are text, for this statement.
  if (is_good(group_.front().result.get())) {
    auto learned = std::make_shared<UserTypes>(*user_types_);
    learned->learn(group_.front().result.get(), looked_up_);
    user_types_ = std::move(learned);
  }
  keep_prepared(statement);
}

void PostgresWire::keep_prepared(const PreparedPtr& statement) {
  statement->described = statement->types;
  for (auto& type : statement->types)
    type = user_types_->stands_for(type);
  statement->shape->users = user_types_;
  statement->rows_shape->users = user_types_;
  choose_form(*statement);
  if (doubted_ && *doubted_->sql == *statement->sql) {
    if (doubted_->described == statement->described)
      statement->confirmed = std::chrono::steady_clock::now();
    doubted_.reset();
  }
  if (const auto evicted = statements_.keep(statement))
    deallocate(*evicted);
}

void PostgresWire::finish_entries(const PGresult* sync_error) {
  std::size_t guilty = group_.size();
  std::size_t entries = 0;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    entries += group_[i].kind == Kind::entry ? 1 : 0;
    const auto status = PQresultStatus(group_[i].result.get());
    if (status == PGRES_FATAL_ERROR && guilty == group_.size())
      guilty = i;
  }
  in_flight_ -= entries;
  if (entries == 0)
    return;
  end_stream();
  // A transaction that is begun or committed here is its caller's: what ran in it has its answer.
  // Else the whole group is rolled back.
  const bool rolled_back = (guilty < group_.size() || sync_error != nullptr)
                           && !(group_.front().kind == Kind::entry
                                && begins_transaction(group_.front().queued.sql()))
                           && !(group_.back().kind == Kind::entry
                                && commits_transaction(group_.back().queued.sql()));
  // Before anybody is answered: the group may run once more as a whole.
  const bool stale = guilty < group_.size() && group_[guilty].kind == Kind::entry
                     && forget_stale(group_[guilty]);
  if (stale && run_again())
    return;
  bool told = false;
  for (std::size_t i = 0; i < group_.size(); ++i) {
    auto& pending = group_[i];
    if (pending.kind != Kind::entry)
      continue;
    const bool last = i + 1 == group_.size();
    if (PQresultStatus(pending.result.get()) == PGRES_FATAL_ERROR) {
      told = true;
      if (stale && i == guilty) {
        answer_stale(pending);
      } else {
        answer(pending);
      }
    } else if (sync_error != nullptr && last) {
      answers_.push_back(
        {pending.queued.entry.id, to_error(sync_error, pending.queued.entry), false});
    } else if (is_good(pending.result.get()) && !rolled_back) {
      answer(pending);
    } else if (guilty < i && !told) {
      // A setting before it failed: that is its own error.
      told = true;
      answers_.push_back({pending.queued.entry.id, to_error(group_[guilty].result.get()), false});
    } else {
      answers_.push_back({pending.queued.entry.id, neighbour_failed(), true});
    }
  }
}

// The schema changed under a prepared statement: the next one that needs it prepares it anew. An
// error of syntax or of types is none that its preparation had.
bool PostgresWire::forget_stale(const Pending& pending) {
  if (!pending.prepared)
    return false;
  const bool gone = is_stale_statement(pending.result.get());
  if (!gone && !blames_schema(pending.result.get()) && !doubts_types(pending))
    return false;
  if (statements_.find(*pending.prepared->sql) != pending.prepared)
    return true;
  if (!explicit_)
    deallocate(pending.prepared->name);
  statements_.forget(*pending.prepared->sql);
  return true;
}

// A value that does not fit may fit the type that the parameter has since the schema was changed.
// The server is asked, but not for each of many values that are just wrong.
bool PostgresWire::doubts_types(const Pending& pending) {
  constexpr std::chrono::milliseconds believed{100};
  const auto& prepared = pending.prepared;
  if (explicit_ || pending.queued.retried > 0 || prepared->types.empty()
      || !blames_values(pending.result.get())
      || (prepared->confirmed
          && std::chrono::steady_clock::now() - *prepared->confirmed < believed))
    return false;
  if (statements_.find(*prepared->sql) == prepared)
    doubted_ = prepared;
  return true;
}

// The group runs once more: nothing of it ran, and nobody was answered. Inside a transaction the
// failure has ended that. A schema that changes all the time may hit it more than once.
bool PostgresWire::run_again() {
  constexpr std::uint8_t most = 5;
  const auto is_entry = [](const Pending& pending) { return pending.kind == Kind::entry; };
  if (explicit_ || std::ranges::any_of(group_, [&](const Pending& pending) {
        return is_entry(pending) && pending.queued.retried >= most;
      }))
    return false;
  for (auto& pending : group_) {
    if (!is_entry(pending))
      continue;
    ++pending.queued.retried;
    again_.push_back(std::move(pending.queued));
  }
  return true;
}

void PostgresWire::answer_stale(Pending& pending) {
  if (!explicit_ || !is_stale_statement(pending.result.get())) {
    answer(pending);
    return;
  }
  auto detail = to_error(pending.result.get()).detail();
  detail.hint = "run the whole transaction again";
  detail.retryable = true;
  answers_.push_back({pending.queued.entry.id,
                      sdk::Error{sdk::ErrorKind::transaction,
                                 "the schema changed under a prepared statement, and the "
                                 "transaction has failed",
                                 std::move(detail)},
                      false});
}

}  // namespace millrace::postgres
