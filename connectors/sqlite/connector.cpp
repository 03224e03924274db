#include "connectors/sdk/connector.hpp"

#include "connectors/sdk/database.hpp"
#include "connectors/sqlite/wire.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace millrace::sqlite {

namespace {

class SqliteDriver final : public sdk::DatabaseDriver {
public:
  std::string_view name() const noexcept override { return "sqlite"; }

  std::uint32_t connection_limit(const sdk::DatabaseSettings& settings) const override {
    return in_memory(settings) ? 1 : settings.pool.limit();
  }

  // Readers go on beside the one writer; writers take turns (WriteTurns).
  std::uint32_t lane_limit(const sdk::DatabaseSettings& settings) const override {
    return in_memory(settings) ? 1 : settings.pool.lane_limit();
  }

  // Nor do transactions gain from waiting for that lock: it is given without any order.
  std::uint32_t writing_session_limit(const sdk::DatabaseSettings&) const override { return 1; }

  bool keeps_connection(const sdk::DatabaseSettings& settings) const override {
    return in_memory(settings);
  }

  // Every transaction here is serializable. A writer takes the lock at once, where waiting for it
  // is possible; a reader that turns writer would fail instead.
  std::string begin_sql(const sdk::TransactionOptions& options) const override {
    return options.read_only ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE";
  }

  std::string_view current_datetime_sql() const noexcept override {
    return "strftime('%Y-%m-%dT%H:%M:%fZ','now')";
  }

  std::string_view current_date_sql() const noexcept override { return "date('now')"; }

  sdk::Status check(const sdk::DatabaseSettings& settings) const override {
    static constexpr std::array<std::string_view, 2> known{"mode", "busy_timeout"};
    for (const auto& [key, value] : settings.parameters) {
      if (std::ranges::find(known, key) == known.end())
        return sdk::Error{sdk::ErrorKind::config,
                          "sqlite has no setting '" + key + "'",
                          {.hint = "it knows mode (ro, rw, rwc) and busy_timeout (milliseconds)"}};
      if (key == "mode" && value != "ro" && value != "rw" && value != "rwc")
        return sdk::Error{sdk::ErrorKind::config, "sqlite's mode is ro, rw or rwc"};
    }
    return {};
  }

  std::shared_ptr<sdk::Wire> make_wire(const sdk::DatabaseSettings& settings, sdk::EventLoop&,
                                       sdk::WireEvents events) const override {
    return std::make_shared<SqliteWire>(settings, std::move(events));
  }

private:
  static bool in_memory(const sdk::DatabaseSettings& settings) {
    return settings.dbname == ":memory:";
  }
};

const sdk::DatabaseDriver* driver() {
  static const SqliteDriver instance;
  return &instance;
}

}  // namespace

extern const sdk::Connector connector{
  .name = "sqlite", .doc = "SQLite, the embedded database", .database = &driver};

}  // namespace millrace::sqlite
