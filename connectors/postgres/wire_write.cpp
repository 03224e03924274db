// What a wire sends: groups, each under one Sync; first of all the statements that the server does
// not know yet.
#include "connectors/postgres/errors.hpp"
#include "connectors/postgres/wire.hpp"
#include "connectors/sdk/immortal.hpp"

#include <string_view>
#include <unordered_set>
#include <utility>

namespace millrace::postgres {

namespace {

constexpr std::size_t most_in_flight = 512;  // entries; libpq's own buffer has no limit

sdk::Error neighbour_failed() {
  return {sdk::ErrorKind::transaction,
          "rolled back, because another statement of its batch failed",
          {.code = "25P02"}};
}

}  // namespace

void PostgresWire::pump() {
  if (closed_ || !connection_ || cancelling_)
    return;
  bool wrote = advance_alone();
  while (wrote && !alone_ && !preparing_ && in_flight_ < most_in_flight && !source().empty()) {
    const auto size = group_size(source());
    if (const auto* unknown = to_prepare(size))
      wrote = prepare(*unknown, {});
    else if (!refuse_misfit(size)) {
      const bool alone = is_alone(source().front());
      // What is asked before rows are copied may travel behind the BEGIN.
      if (alone && !pending_.empty() && !source().front().entry.statement->bulk)
        break;
      wrote = alone ? begin_alone() : write_group(size);
    }
  }
  if (closed_)
    return;
  if (!wrote) {
    lose(loss_error(connection_.get()), false);
    return;
  }
  flush();
}

std::size_t PostgresWire::group_size(const std::deque<Queued>& queue) const {
  std::size_t size = 1;
  while (size < queue.size() && !queue[size - 1].entry.sync)
    ++size;
  return size;
}

// A statement with parameters is described before it runs for the first time: its types decide how
// arrays, JSON and strings are written.
const std::string* PostgresWire::to_prepare(std::size_t size) {
  if (!statements_.enabled())
    return nullptr;
  if (size > statements_.capacity())
    limit_prepared(size);
  for (std::size_t i = 0; i < size; ++i) {
    auto& queued = source()[i];
    const auto& about = queued.entry.about;
    if (about && !queued.about_unknown && !statements_.find(about->sql)) {
      queued.about_unknown = !is_worth_preparing(about->sql);
      if (!queued.about_unknown)
        return &about->sql;
    }
    queued.prepared = queued.direct ? nullptr : statements_.find(queued.sql());
    if (!queued.direct && !queued.prepared && is_worth_preparing(queued.sql()))
      return &queued.sql();
  }
  return nullptr;
}

// A group with more statements than there is room for would push out its own for ever: the rest
// goes unprepared.
void PostgresWire::limit_prepared(std::size_t size) {
  std::unordered_set<std::string_view> kept;
  for (std::size_t i = 0; i < size; ++i) {
    auto& queued = source()[i];
    const std::string_view sql = queued.sql();
    if (queued.direct || !is_worth_preparing(sql) || kept.contains(sql))
      continue;
    if (kept.size() == statements_.capacity())
      queued.direct = true;
    else
      kept.insert(sql);
  }
}

bool PostgresWire::prepare(const std::string& sql, const std::vector<Oid>& types) {
  preparing_ = statements_.make(sql);
  preparing_typed_ = !types.empty();
  auto* raw = connection_.get();
  if (PQsendPrepare(raw, preparing_->name.c_str(), preparing_->sql->c_str(),
                    static_cast<int>(types.size()), types.empty() ? nullptr : types.data())
      != 1)
    return false;
  pending_.push_back({Kind::prepare});
  if (PQsendDescribePrepared(raw, preparing_->name.c_str()) != 1)
    return false;
  pending_.push_back({Kind::describe});
  return write_sync();
}

// Parameters that cannot fit are refused before anything is sent. @returns whether the group was
// answered, or made smaller: then it is to be looked at again.
bool PostgresWire::refuse_misfit(std::size_t size) {
  // What is alone is looked at when it is written.
  if (size == 1 && check_fit(source().front()))
    return false;
  for (std::size_t i = 0; i < size; ++i) {
    const auto fits = check_fit(source()[i]);
    if (fits)
      continue;
    if (i > 0 && begins_transaction(source().front().sql()))
      // BEGIN travels with its first statement, and is not at fault: it goes alone.
      source().front().entry.sync = true;
    else
      answer_group(size, i, fits.error());
    return true;
  }
  return false;
}

sdk::Status PostgresWire::check_fit(const Queued& queued) {
  const auto& entry = queued.entry;
  if (!entry.form && queued.prepared) {
    const auto given = entry.statement->sets[entry.set].size() + (entry.about ? 1 : 0);
    const auto wanted = queued.prepared->types.size();
    if (wanted != given)
      return sdk::Error{sdk::ErrorKind::execution,
                        "the statement has " + std::to_string(wanted) + " placeholders, "
                          + std::to_string(given) + " parameters were given",
                        {.code = "07001"}};
  }
  return encode(queued);
}

// Into `parameters_`, which holds one entry's at a time.
sdk::Status PostgresWire::encode(const Queued& queued) {
  const auto& entry = queued.entry;
  if (entry.form) {
    std::vector<Oid> types;
    for (const auto& parameter : entry.form->parameters)
      types.push_back(user_types_->stands_for(parameter.type));
    return parameters_.encode_members(entry.members, *entry.form, types);
  }
  static const sdk::Immortal<std::vector<Oid>> untyped;
  auto encoded = parameters_.encode(entry.statement->sets[entry.set],
                                    queued.prepared ? queued.prepared->types : *untyped);
  if (encoded && entry.about) {
    const auto known = queued.about_unknown ? nullptr : statements_.find(entry.about->sql);
    parameters_.add_types(known ? &known->described : nullptr);
  }
  return encoded;
}

void PostgresWire::answer_group(std::size_t size, std::size_t guilty, const sdk::Error& error) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto id = source().front().entry.id;
    source().pop_front();
    answers_.push_back({id, i == guilty ? error : neighbour_failed(), i != guilty});
  }
}

bool PostgresWire::write_group(std::size_t size) {
  auto& queue = source();
  for (std::size_t i = 0; i < size; ++i) {
    auto queued = std::move(queue.front());
    queue.pop_front();
    const bool flush = queued.entry.flush;
    // `refuse_misfit` has left the parameters of what is alone in their place.
    const bool fits = size == 1 || encode(queued).has_value();
    // Where it does not go out: what was not written is at the end of `pending_`, and counts as
    // written to be safe.
    if (!fits || !write_settings(queued) || !write_entry(std::move(queued))
        || (flush && PQsendFlushRequest(connection_.get()) != 1))
      return false;
  }
  return write_sync();
}

bool PostgresWire::write_settings(const Queued& queued) {
  const auto& options = queued.options();
  // Behind a bouncer the session has no default of ours. What begins a transaction stays the first
  // of its group.
  auto timeout = options.timeout;
  if (!timeout && settings_.pool_mode == sdk::PoolMode::transaction
      && settings_.statement_timeout.count() > 0 && !begins_transaction(queued.sql()))
    timeout = settings_.statement_timeout;
  // Local to the implicit transaction: gone with the Sync, and no round trip of their own.
  if (timeout && !queued.entry.skip_timeout
      && !write_setting("statement_timeout", std::to_string(timeout->count())))
    return false;
  return !options.read_only || queued.entry.skip_read_only
         || write_setting("transaction_read_only", "on");
}

bool PostgresWire::write_setting(const char* name, const std::string& value) {
  const char* values[] = {name, value.c_str()};
  pending_.push_back({Kind::settle});
  return PQsendQueryParams(connection_.get(), "SELECT pg_catalog.set_config($1, $2, true)", 2,
                           nullptr, values, nullptr, nullptr, 0)
         == 1;
}

bool PostgresWire::write_entry(Queued queued) {
  auto* raw = connection_.get();
  const int format = result_format(queued.prepared.get());
  if (!queued.prepared || queued.prepared->may_set)
    unsure_until_ = syncs_out_ + 1;
  const int sent = queued.prepared
                     ? PQsendQueryPrepared(raw, queued.prepared->name.c_str(), parameters_.count(),
                                           parameters_.values(), nullptr, nullptr, format)
                     : PQsendQueryParams(raw, queued.sql().c_str(), parameters_.count(), nullptr,
                                         parameters_.values(), nullptr, nullptr, 0);
  if (const auto& statement = queued.entry.statement; statement && !statement->listener.expired())
    listener_ = statement->listener;
  ++in_flight_;
  auto prepared = queued.prepared;
  pending_.push_back({Kind::entry, nullptr, std::move(queued), std::move(prepared)});
  if (sent == 1 && pending_.size() == 1)
    read_by_row();
  return sent == 1;
}

bool PostgresWire::write_sync() {
  pending_.push_back({Kind::sync});
  ++syncs_out_;
  return PQpipelineSync(connection_.get()) == 1;
}

void PostgresWire::deallocate(const std::string& name) {
  write_aside("DEALLOCATE \"" + name + "\"");
}

// What start-up cannot say to a bouncer, of the settings that it keeps for each of its clients.
void PostgresWire::set_style() {
  const auto is = [this](const char* name, std::string_view begins) {
    const char* value = PQparameterStatus(connection_.get(), name);
    return value != nullptr && std::string_view{value}.starts_with(begins);
  };
  if (!is("DateStyle", "ISO"))
    write_aside("SET DateStyle = 'ISO'");
  if (!closed_ && !is("TimeZone", "UTC"))
    write_aside("SET TimeZone = 'UTC'");
}

// Nobody waits for its result.
void PostgresWire::write_aside(const std::string& sql) {
  pending_.push_back({Kind::ignored});
  if (PQsendQueryParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0)
        != 1
      || !write_sync())
    lose(loss_error(connection_.get()), false);
}

}  // namespace millrace::postgres
