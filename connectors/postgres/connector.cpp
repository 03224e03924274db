#include "connectors/sdk/connector.hpp"

#include "connectors/postgres/inspector.hpp"
#include "connectors/postgres/start_options.hpp"
#include "connectors/postgres/wire.hpp"
#include "connectors/sdk/database.hpp"
#include "connectors/sdk/immortal.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace millrace::postgres {

namespace {

std::string_view isolation_sql(sdk::Isolation isolation) {
  switch (isolation) {
  case sdk::Isolation::read_committed:
    return " ISOLATION LEVEL READ COMMITTED";
  case sdk::Isolation::repeatable_read:
    return " ISOLATION LEVEL REPEATABLE READ";
  case sdk::Isolation::serializable:
    return " ISOLATION LEVEL SERIALIZABLE";
  case sdk::Isolation::server_default:
    break;
  }
  return "";
}

// What tells a transaction from all others: its number, the server's timeline (after a failover to
// a server that lags behind, the same number is another transaction's), and when the server's
// statistics began (after a crash a number that had not reached the disk is given again). The
// functions are those of every server since 10.
constexpr std::string_view transaction_id =
  "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN "
  "pg_catalog.txid_current_if_assigned()::pg_catalog.text || ':' || "
  "pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) "
  "|| ':' || pg_catalog.date_part('epoch', "
  "pg_catalog.pg_stat_get_bgwriter_stat_reset_time())::pg_catalog.text END AS id";

// A number above one that is given just now was lost in a crash, and its transaction with it.
// After a crash "committed" may be said of another transaction; "aborted" is true of both.
constexpr std::string_view transaction_outcome =
  "SELECT CASE WHEN timeline <> pg_catalog.substr(pg_catalog.pg_walfile_name("
  "pg_catalog.pg_current_wal_insert_lsn()), 1, 8) THEN NULL "
  "WHEN number > pg_catalog.txid_current() THEN 'aborted' "
  "WHEN since = pg_catalog.date_part('epoch', "
  "pg_catalog.pg_stat_get_bgwriter_stat_reset_time())::pg_catalog.text "
  "OR pg_catalog.txid_status(number) = 'aborted' THEN pg_catalog.txid_status(number) END AS "
  "outcome "
  "FROM (SELECT pg_catalog.split_part($1::pg_catalog.text, ':', 1)::pg_catalog.int8 AS number, "
  "pg_catalog.split_part($1::pg_catalog.text, ':', 2) AS timeline, "
  "pg_catalog.split_part($1::pg_catalog.text, ':', 3) AS since) AS asked";

class PostgresDriver final : public sdk::DatabaseDriver {
public:
  std::string_view name() const noexcept override { return "postgres"; }

  std::uint32_t connection_limit(const sdk::DatabaseSettings& settings) const override {
    return settings.pool.limit();
  }

  std::uint32_t lane_limit(const sdk::DatabaseSettings& settings) const override {
    return settings.pool.lane_limit();
  }

  bool keeps_connection(const sdk::DatabaseSettings&) const override { return false; }

  std::string begin_sql(const sdk::TransactionOptions& options) const override {
    std::string sql = "BEGIN";
    sql += isolation_sql(options.isolation);
    if (options.read_only)
      sql += " READ ONLY";
    if (options.deferrable)
      sql += " DEFERRABLE";
    return sql;
  }

  // DISCARD ALL without the loss of what is prepared. Behind a bouncer it would run on somebody
  // else's connection.
  std::vector<std::string> reset_sql(const sdk::DatabaseSettings& settings) const override {
    if (settings.pool_mode == sdk::PoolMode::transaction)
      return {};
    return {"CLOSE ALL",        "SET SESSION AUTHORIZATION DEFAULT",
            "RESET ALL",        "UNLISTEN *",
            "DISCARD TEMP",     "SELECT pg_catalog.pg_advisory_unlock_all()",
            "DISCARD SEQUENCES"};
  }

  std::string_view transaction_id_sql() const noexcept override { return transaction_id; }

  std::string_view transaction_outcome_sql() const noexcept override { return transaction_outcome; }

  // A lock or a statement of one caller must not hold up the others for long: what hits these
  // limits runs again where nobody waits behind it. Behind a bouncer no setting stays with us.
  std::vector<std::string> use_sql(const sdk::DatabaseSettings& settings,
                                   sdk::ConnectionUse use) const override {
    if (settings.pool_mode == sdk::PoolMode::transaction)
      return {};
    if (use == sdk::ConnectionUse::exclusive)
      return {"RESET ALL", "SELECT pg_catalog.pg_advisory_unlock_all()"};
    const auto own = settings.statement_timeout;
    const auto limit = own.count() > 0 ? std::min(own, sdk::shared_statement_limit)
                                       : sdk::shared_statement_limit;
    // For writes the server's own default holds: it may be one that takes none any more.
    const std::string read_only = use == sdk::ConnectionUse::reads
                                    ? "SET default_transaction_read_only = on"
                                    : "RESET default_transaction_read_only";
    return {read_only, "SELECT pg_catalog.set_config('lock_timeout', '50ms', false), "
                       "pg_catalog.set_config('statement_timeout', '"
                         + std::to_string(limit.count())
                         + "', false), pg_catalog.set_config('jit', 'off', false)"};
  }

  const sdk::StatementInspector* inspector(const sdk::DatabaseSettings& settings) const override {
    static const sdk::Immortal<Inspector> instance;
    return settings.pool_mode == sdk::PoolMode::transaction ? nullptr : &*instance;
  }

  std::string_view current_datetime_sql() const noexcept override { return "CURRENT_TIMESTAMP"; }

  std::string_view current_date_sql() const noexcept override { return "CURRENT_DATE"; }

  sdk::Status check(const sdk::DatabaseSettings& settings) const override {
    for (const auto& [key, value] : settings.parameters) {
      if (!is_keyword(key))
        return sdk::Error{
          sdk::ErrorKind::config,
          "libpq has no setting '" + key + "'",
          {.hint = "see the list of connection parameters in PostgreSQL's manual, section 34.1.2"}};
    }
    return {};
  }

  std::shared_ptr<sdk::Wire> make_wire(const sdk::DatabaseSettings& settings, sdk::EventLoop& loop,
                                       sdk::WireEvents events) const override {
    return std::make_shared<PostgresWire>(settings, loop, std::move(events));
  }
};

const sdk::DatabaseDriver* driver() {
  static const sdk::Immortal<PostgresDriver> instance;
  return &*instance;
}

}  // namespace

extern const sdk::Connector connector{
  .name = "postgres", .doc = "PostgreSQL, by libpq's pipeline mode", .database = &driver};

}  // namespace millrace::postgres
