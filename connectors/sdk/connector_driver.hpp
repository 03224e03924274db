// ConnectorDriver: any connector as a driver of the engine. Each connection of the engine's pool is
// a connector of its own; what the engine asks becomes connect, execute, begin, commit, rollback
// and close.
//
//   ConnectorDriver driver{"mock", [mock](const DatabaseSettings&) { return mock.connector(); }};
//   // in a Connector: .database = [] { return &driver; }; in YAML: driver: mock
#pragma once

#include "connectors/sdk/database.hpp"
#include "connectors/sdk/database_connector.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::sdk {

/// Makes a connector that is not connected yet.
using ConnectorFactory = std::function<std::shared_ptr<AsyncDatabase>(const DatabaseSettings&)>;

/// A blocking connector on a thread of its own, with callbacks.
std::shared_ptr<AsyncDatabase> run_on_thread(std::shared_ptr<SyncDatabase> database);

class ConnectorDriver final : public DatabaseDriver {
public:
  ConnectorDriver(std::string name, ConnectorFactory factory)
    : name_{std::move(name)}, factory_{std::move(factory)} {}

  std::string_view name() const noexcept override { return name_; }

  std::uint32_t connection_limit(const DatabaseSettings& settings) const override {
    return settings.pool.limit();
  }

  std::uint32_t lane_limit(const DatabaseSettings& settings) const override {
    return settings.pool.lane_limit();
  }

  bool keeps_connection(const DatabaseSettings&) const override { return false; }

  std::string begin_sql(const TransactionOptions& options) const override;

  std::string_view current_datetime_sql() const noexcept override { return "CURRENT_TIMESTAMP"; }

  std::string_view current_date_sql() const noexcept override { return "CURRENT_DATE"; }

  Status check(const DatabaseSettings&) const override { return {}; }

  std::shared_ptr<Wire> make_wire(const DatabaseSettings& settings, EventLoop& loop,
                                  WireEvents events) const override;

private:
  std::string name_;
  ConnectorFactory factory_;
};

}  // namespace millrace::sdk
