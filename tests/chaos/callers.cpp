#include "tests/chaos/callers.hpp"

#include "tests/chaos/answer.hpp"

#include <optional>
#include <utility>

namespace millrace::actors {

namespace {

using sdk::ErrorKind;
using sdk::Value;
using Clock = std::chrono::steady_clock;

}  // namespace

Callers::Callers(DatabaseHandle pool, Violations& violations, int count, std::uint64_t seed)
  : pool_{std::move(pool)}, violations_{violations}, ledgers_(static_cast<std::size_t>(count)) {
  for (int caller = 0; caller < count; ++caller)
    threads_.emplace_back(
      [this, caller, seed] { run(caller, seed + static_cast<std::uint64_t>(caller)); });
}

void Callers::stop() {
  stop_ = true;
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
}

void Callers::work_on(std::uint64_t more, std::chrono::milliseconds most) {
  std::unique_lock lock{mutex_};
  worked_.wait_for(lock, most, [this, enough = done_ + more] { return done_ >= enough; });
}

std::vector<std::string> Callers::schema(int callers) {
  return {
    "DROP TABLE IF EXISTS counters, entries, shared, pairs, copied",
    "CREATE TABLE counters (caller INTEGER PRIMARY KEY, writes BIGINT DEFAULT 0, "
    "transactions BIGINT DEFAULT 0, ghosts BIGINT DEFAULT 0, batches BIGINT DEFAULT 0)",
    "INSERT INTO counters SELECT i FROM generate_series(0, " + std::to_string(callers) + ") i",
    "CREATE TABLE entries (caller INTEGER, number BIGINT, note TEXT, PRIMARY KEY (caller, number))",
    "CREATE TABLE pairs (caller INTEGER, number BIGINT, PRIMARY KEY (caller, number))",
    "CREATE TABLE copied (caller INTEGER, number BIGINT, i INTEGER, note TEXT, PRIMARY KEY "
    "(caller, "
    "number, i))",
    "CREATE TABLE shared (name TEXT PRIMARY KEY, n BIGINT)",
    "INSERT INTO shared VALUES ('first', 0), ('second', 0)",
    "CREATE OR REPLACE FUNCTION conflict_at_times(note TEXT) RETURNS INTEGER LANGUAGE plpgsql AS "
    "$$ BEGIN IF random() < 0.2 THEN RAISE EXCEPTION 'no' USING ERRCODE = '40001', DETAIL = note; "
    "ELSIF random() < 0.2 THEN RAISE EXCEPTION 'no' USING ERRCODE = '40P01', DETAIL = note; "
    "END IF; RETURN 7; END $$"};
}

void Callers::run(int caller, std::uint64_t seed) {
  auto& ledger = ledgers_[static_cast<std::size_t>(caller)];
  std::mt19937_64 random{seed};
  for (std::int64_t number = 0; !stop_; ++number) {
    switch (random() % 11) {
    case 0:
    case 1:
      read(ledger, random);
      break;
    case 2:
      write(caller, ledger);
      break;
    case 3:
      insert(caller, number, ledger);
      break;
    case 4:
      transaction(caller, ledger, random);
      break;
    case 5:
      drop_session(caller, ledger);
      break;
    case 6:
      conflict(ledger, random);
      break;
    case 7:
      all_or_nothing(caller, number, ledger);
      break;
    case 8:
      copy(caller, number, ledger);
      break;
    case 9:
      stream(ledger, random);
      break;
    default:
      batch(caller, number, ledger);
      break;
    }
    {
      const std::lock_guard lock{mutex_};
      ++done_;
    }
    worked_.notify_one();
    // The pace of the load: the machine has others to serve too.
    std::this_thread::sleep_for(std::chrono::microseconds{random() % 2000});
  }
}

void Callers::look_at(const sdk::Error& error, const char* what) {
  const auto text = error.to_string();
  if (text.find(planted) != std::string::npos
      || error.constraint().find(planted) != std::string::npos)
    violations_.add(std::string{"a secret in an error of "} + what);
  const auto kind = error.kind();
  const bool expected = kind == ErrorKind::connection || kind == ErrorKind::timeout
                        || kind == ErrorKind::transaction || kind == ErrorKind::overloaded;
  if (!expected)
    violations_.add(std::string{what} + ": " + text);
}

std::vector<sdk::Result<sdk::SqlResult>> Callers::ask(CallerLedger& ledger,
                                                      sdk::Statement statement) {
  const auto sets = statement.sets.size();
  const auto began = Clock::now();
  Answer<ExecuteReply> reply{violations_};
  pool_.execute(std::move(statement), reply.callback());
  auto results = reply.get().results;
  ledger.took(Clock::now() - began);
  if (results.size() != sets)
    violations_.add("not one result for each parameter set");
  for (const auto& result : results) {
    if (!result)
      look_at(result.error(), "a statement");
  }
  return results;
}

void Callers::read(CallerLedger& ledger, std::mt19937_64& random) {
  const auto number = static_cast<std::int64_t>(random() % 100'000);
  sdk::Statement select{.sql = "SELECT $1::int8 * 2 AS twice, i FROM generate_series(1, $2::int) i",
                        .sets = {{Value{number}, Value{random() % 8 == 0 ? 3000 : 1}}}};
  select.options.read_only = true;
  const auto rows = static_cast<std::size_t>(select.sets[0][1].as_integer());
  const auto results = ask(ledger, std::move(select));
  ledger.reads.count(error_in(results.front()));
  if (!results.front()) {
    if (results.front().error().outcome_unknown())
      violations_.add("a read whose outcome nobody knows");
    return;
  }
  const auto& found = results.front()->rows;
  if (found.size() != rows || found.items()[0].find("twice")->as_integer() != 2 * number)
    violations_.add("a read gave somebody else's answer");
}

void Callers::write(int caller, CallerLedger& ledger) {
  const auto results = ask(ledger,
                           {.sql = "UPDATE counters SET writes = writes + 1 WHERE caller = $1",
                            .sets = {{Value{caller}}}});
  ledger.writes.count(error_in(results.front()));
  if (results.front() && results.front()->rowcount != 1)
    violations_.add("an UPDATE of one row changed another number of rows");
}

void Callers::insert(int caller, std::int64_t number, CallerLedger& ledger) {
  const auto results = ask(ledger, {.sql = "INSERT INTO entries VALUES ($1, $2, $3)",
                                    .sets = {{Value{caller}, Value{number}, Value{planted}}}});
  ledger.inserts.count(error_in(results.front()));
  if (results.front())
    ledger.inserted.insert(number);
  else if (results.front().error().outcome_unknown())
    ledger.maybe_inserted.insert(number);
}

// Many sets in one message: each stands for itself. Their numbers are below zero.
void Callers::batch(int caller, std::int64_t number, CallerLedger& ledger) {
  constexpr std::int64_t sets = 20;
  sdk::Statement many{.sql = "INSERT INTO entries VALUES ($1, $2, $3)", .sets = {}};
  for (std::int64_t i = 1; i <= sets; ++i)
    many.sets.push_back({Value{caller}, Value{-(number * sets + i)}, Value{planted}});
  const auto results = ask(ledger, std::move(many));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto set = -(number * sets + static_cast<std::int64_t>(i) + 1);
    ledger.inserts.count(error_in(results[i]));
    if (results[i])
      ledger.inserted.insert(set);
    else if (results[i].error().outcome_unknown())
      ledger.maybe_inserted.insert(set);
  }
}

void Callers::transaction(int caller, CallerLedger& ledger, std::mt19937_64& random) {
  const auto began = Clock::now();
  Answer<sdk::Result<SessionHandle>> begun{violations_};
  pool_.begin({}, begun.callback());
  const auto session = begun.get();
  ledger.took(Clock::now() - began);
  if (!session) {
    look_at(session.error(), "begin");
    return;
  }
  Answer<ExecuteReply> update{violations_};
  session->execute({.sql = "UPDATE counters SET transactions = transactions + 1 WHERE caller = $1",
                    .sets = {{Value{caller}}}},
                   update.callback());
  // The answer is waited for, or COMMIT is sent behind it at once.
  const bool waits = random() % 2 == 0;
  std::optional<sdk::Result<sdk::SqlResult>> updated;
  if (waits)
    updated = std::move(update.get().results.front());
  Answer<sdk::Status> committed{violations_};
  const auto asked = Clock::now();
  session->commit(committed.callback());
  const auto status = committed.get();
  ledger.took(Clock::now() - asked);
  if (!waits)
    updated = std::move(update.get().results.front());
  if (!*updated)
    look_at(updated->error(), "a statement of a transaction");
  if (!status)
    look_at(status.error(), "a commit");
  ledger.transactions.count(status ? nullptr : &status.error());
  if (status && !*updated)
    violations_.add("a transaction was committed whose statement had failed");
}

void Callers::drop_session(int caller, CallerLedger& ledger) {
  Answer<sdk::Result<SessionHandle>> begun{violations_};
  pool_.begin({}, begun.callback());
  const auto session = begun.get();
  if (!session) {
    look_at(session.error(), "begin");
    return;
  }
  Answer<ExecuteReply> update{violations_};
  session->execute(
    {.sql = "UPDATE counters SET ghosts = ghosts + 1 WHERE caller = $1", .sets = {{Value{caller}}}},
    update.callback());
  static_cast<void>(update.get());
  ++ledger.dropped;
}

// What the server asks to be tried again; and a true deadlock now and then.
void Callers::conflict(CallerLedger& ledger, std::mt19937_64& random) {
  if (random() % 4 != 0) {
    const auto results = ask(ledger,
                             {.sql = "SELECT conflict_at_times($1)", .sets = {{Value{planted}}}});
    ledger.conflicts.count(error_in(results.front()));
    return;
  }
  const bool forward = random() % 2 == 0;
  const auto results = ask(
    ledger, {.sql = std::string{"WITH a AS (SELECT 1 FROM shared WHERE name = '"}
                    + (forward ? "first" : "second")
                    + "' FOR UPDATE), b AS (SELECT pg_sleep(0.001) FROM a) UPDATE shared SET n = n "
                      "+ 1 FROM b WHERE name = '"
                    + (forward ? "second" : "first") + "'"});
  ledger.conflicts.count(error_in(results.front()));
}

}  // namespace millrace::actors
