// Blocking calls: argv[1] is the address of a PostgreSQL. Examples of docs/library.md.
#include <cstdlib>
#include <iostream>
#include <millrace/postgres.hpp>
#include <string>

using namespace millrace;

namespace {

int failures = 0;

void expect(bool good, const char* what) {
  std::cout << (good ? "ok      " : "FAILED  ") << what << '\n';
  failures += good ? 0 : 1;
}

void fill(PostgresSyncConnector& db) {
  value_or_throw(db.execute("DROP TABLE IF EXISTS shop_accounts"));
  value_or_throw(
    db.execute("CREATE TABLE shop_accounts (id int PRIMARY KEY, name text, money int)"));
  const auto added = db.execute_many("INSERT INTO shop_accounts VALUES (?, ?, ?)",
                                     {{1, "Ada", 100}, {2, "Bob", 50}, {3, "Cyd", 0}});
  for (const auto& one : added)
    value_or_throw(one);
}

void query(PostgresSyncConnector& db) {
  auto rich = db.execute("SELECT id, name FROM shop_accounts WHERE money >= ? ORDER BY id", {50});
  if (!rich) {
    std::cerr << rich.error().to_string() << '\n';  // kind, SQLSTATE, message, what to do
    return;
  }
  std::cout << rich->rowcount.value() << " rows by " << *rich->sql << '\n';
  const Value first = rich->fetch_one();
  expect(first.find("name")->as_string() == "Ada", "a row is an object");
  expect(to_json(rich->fetch_all()) == R"([{"id":2,"name":"Bob"}])", "and the rest a list of them");

  auto named_one = db.execute("SELECT name FROM shop_accounts WHERE id = :id", named({{"id", 3}}));
  expect(named_one && named_one->rowcount == 1, "placeholders may have names");

  auto recent = db.execute("SELECT ?::timestamptz <= ?", {"2020-01-01", current_timestamp});
  expect(recent.has_value(), "and literals of the server stand beside values");
}

void errors(PostgresSyncConnector& db) {
  auto twice = db.execute("INSERT INTO shop_accounts VALUES (?, ?, ?)", {1, "Eve", 0});
  expect(!twice && is<DatabaseExecutionError>(twice.error()) && twice.error().code() == "23505"
           && twice.error().constraint() == "shop_accounts_pkey",
         "an error says its kind, its SQLSTATE and the constraint");

  try {
    SqlResult slow = value_or_throw(
      db.execute("SELECT pg_sleep(10)", {}, {.timeout = std::chrono::milliseconds{50}}));
  } catch (const DatabaseTimeoutError& error) {
    expect(error.error().code() == "57014", "or is thrown, where that is asked for");
  }
}

Status transfer(PostgresSyncConnector& db, int from, int to, int amount) {
  return db.with_transaction([&](Transaction& tx) -> Status {
    auto taken = tx.execute(
      "UPDATE shop_accounts SET money = money - ? WHERE id = ? AND money >= ?",
      {amount, from, amount});
    if (!taken)
      return taken.error();
    if (taken->rowcount == 0)
      return Error{ErrorKind::failed, "not enough money"};  // rolls back
    auto given = tx.execute("UPDATE shop_accounts SET money = money + ? WHERE id = ?",
                            {amount, to});
    if (!given)
      return given.error();
    return {};  // commits
  });
}

void transactions(PostgresSyncConnector& db) {
  expect(transfer(db, 1, 3, 60).has_value(), "a scope commits");
  expect(!transfer(db, 1, 3, 60), "or rolls back");

  auto booked = db.retry_transaction(
    [](Transaction& tx) -> Result<std::int64_t> {
      auto sum = tx.execute("SELECT sum(money) AS total FROM shop_accounts");
      if (!sum)
        return sum.error();
      return sum->fetch_one().find("total")->as_integer();
    },
    {.isolation = Isolation::serializable}, {.attempts = 5});
  expect(booked && *booked == 150, "conflicts run the whole again");

  auto session = db.session();  // its transaction is its own; the pool is shared
  if (auto begun = session.begin({.read_only = true}); begun) {
    expect(!session.begin(), "a second begin is refused");
    expect(!session.execute("DELETE FROM shop_accounts"), "a read-only transaction writes nothing");
    expect(session.rollback().has_value(), "rollback");
  }

  auto tx = Transaction::begin(session);
  if (tx) {
    auto inner = tx->begin_nested();  // a savepoint
    expect(inner && inner->execute("DELETE FROM shop_accounts").has_value(), "nested");
  }  // neither was told to commit: both are rolled back
}

void streams(PostgresSyncConnector& db) {
  auto numbers = db.stream("SELECT n FROM generate_series(1, ?) AS n", {5'000});
  std::int64_t sum = 0;
  while (numbers) {
    auto chunk = numbers->next();  // a thousand rows; none at the end
    if (!chunk || chunk->size() == 0)
      break;
    for (const Value& row : chunk->items())
      sum += row.find("n")->as_integer();
  }
  expect(sum == 12'502'500, "a large result comes in chunks");
}

void addresses(const std::string& url) {
  expect(mask_dsn("postgresql://ada:secret@db/shop") == "postgresql://ada:***@db/shop",
         "passwords are masked");
  const auto replica = build_db_dsn("postgresql://a,b/shop", "reports", "prefer-standby");
  expect(replica && is_dsn_multihost(*replica).has_value(), "an address is derived from another");

  auto connect = build_connection_factory(url, std::chrono::seconds{5});
  auto connection = connect ? (*connect)() : connect.error();
  expect(connection && (*connection)->execute("SELECT 1").has_value(),
         "connections without a pool");
}

void settings() {
  ConnectionConfig config{.name = "shop", .host = {"db1", "db2"}, .user = "ada", .dbname = "shop"};
  config.port = 70'000;
  config.pool.min_size = 20;
  config.retry.attempts = 0;
  const auto mistakes = resolve(config);
  std::cout << mistakes.error().message() << '\n';  // all three of them
  expect(!mistakes, "mistakes are told before anything connects");

  const auto read = read_config(
    "shop",
    Value::object({{"url", "postgresql://db/shop"}, {"pool_size", 5}, {"pool_recycle", 3600}}));
  expect(read && (*read)->pool.max_size == 5, "other libraries' names are taken");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2)
    return EXIT_FAILURE;
  ConnectionConfig config{.name = "shop", .url = argv[1]};
  config.pool.max_size = 5;
  config.statement_timeout = std::chrono::seconds{10};

  PostgresSyncConnector db{config};
  if (auto connected = db.connect(); !connected) {
    std::cerr << connected.error().to_string() << '\n';
    return EXIT_FAILURE;
  }
  fill(db);
  query(db);
  errors(db);
  transactions(db);
  streams(db);
  addresses(argv[1]);
  settings();

  auto count = retry([&] { return db.execute("SELECT count(*) FROM shop_accounts"); });
  expect(count.has_value(), "any callable can be retried");
  const PoolInfo info = db.pool_info();
  expect(info.total <= 5 && info.checked_out == 0, "the pool tells its figures");
  expect(db.health_check().status == HealthStatus::healthy, "and its health");
  expect(db.close() && db.close(), "close may be called twice");
  expect(db.connect() && db.execute("DROP TABLE shop_accounts"), "and connect starts afresh");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
