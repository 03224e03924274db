#include "connectors/sdk/connector.hpp"

#include "connectors/postgres/start_options.hpp"
#include "connectors/postgres/wire.hpp"
#include "connectors/sdk/database.hpp"

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

  std::string_view transaction_id_sql() const noexcept override {
    return "SELECT pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text AS xid";
  }

  std::string_view transaction_outcome_sql() const noexcept override {
    return "SELECT pg_catalog.pg_xact_status($1::pg_catalog.text::pg_catalog.xid8) AS outcome";
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
  static const PostgresDriver instance;
  return &instance;
}

}  // namespace

extern const sdk::Connector connector{
  .name = "postgres", .doc = "PostgreSQL, by libpq's pipeline mode", .database = &driver};

}  // namespace millrace::postgres
