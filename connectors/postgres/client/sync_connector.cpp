#include "connectors/postgres/client/sync_connector.hpp"

#include "connectors/postgres/client/blocking.hpp"
#include "connectors/postgres/client/client.hpp"
#include "connectors/postgres/client/cursor.hpp"

#include <chrono>
#include <future>
#include <optional>

namespace millrace::postgres {

namespace {

using sdk::Result;
using sdk::SqlResult;
using sdk::Status;
using namespace std::chrono_literals;

constexpr auto health_limit = 1s;

sdk::Error moved_from() {
  return {sdk::ErrorKind::internal, "the connector was moved away"};
}

sdk::Error error_of(const std::shared_ptr<const sdk::Error>& mistakes) {
  return mistakes ? *mistakes : moved_from();
}

// Ends the callbacks' way of giving one result.
ManyCallback first_of(std::function<void(Result<SqlResult>)> done) {
  return [done = std::move(done)](std::vector<Result<SqlResult>> results) {
    done(std::move(results.front()));
  };
}

}  // namespace

PostgresSyncConnector::PostgresSyncConnector(const ConnectionConfig& config, sdk::Log& log) {
  if (auto settings = resolve(config))
    client_ = std::make_shared<Client>(std::make_shared<ClientCore>(*settings, log, nullptr));
  else
    mistakes_ = std::make_shared<const sdk::Error>(settings.error());
}

PostgresSyncConnector::PostgresSyncConnector(Settings settings, sdk::Log& log,
                                             std::shared_ptr<sdk::Reactor> reactor)
  : client_{std::make_shared<Client>(
    std::make_shared<ClientCore>(std::move(settings), log, std::move(reactor)))} {
}

PostgresSyncConnector::PostgresSyncConnector(std::shared_ptr<Client> client)
  : client_{std::move(client)} {
}

PostgresSyncConnector::PostgresSyncConnector(PostgresSyncConnector&& other) noexcept = default;
PostgresSyncConnector&
PostgresSyncConnector::operator=(PostgresSyncConnector&& other) noexcept = default;
PostgresSyncConnector::~PostgresSyncConnector() = default;

Status PostgresSyncConnector::connect() {
  if (!client_)
    return error_of(mistakes_);
  return wait_for<Status>(*client_->core(), [&](auto done) { client_->connect(std::move(done)); });
}

Result<SqlResult> PostgresSyncConnector::execute(std::string_view sql,
                                                 const sdk::Arguments& arguments,
                                                 const sdk::StatementOptions& options) {
  if (!client_)
    return error_of(mistakes_);
  auto statement = sdk::bind(sql, arguments, options);
  if (!statement)
    return statement.error();
  return wait_for<Result<SqlResult>>(*client_->core(), [&](auto done) {
    client_->execute(std::move(*statement), first_of(std::move(done)));
  });
}

std::vector<Result<SqlResult>>
PostgresSyncConnector::execute_many(std::string_view sql, const std::vector<sdk::Arguments>& sets,
                                    const sdk::StatementOptions& options) {
  using Results = std::vector<Result<SqlResult>>;
  if (!client_)
    return Results(sets.size(), error_of(mistakes_));
  auto statement = sdk::bind_many(sql, sets, options);
  if (!statement)
    return Results(sets.size(), statement.error());
  auto all = wait_for<Result<Results>>(*client_->core(), [&](auto done) {
    client_->execute(std::move(*statement),
                     [done = std::move(done)](Results results) { done(std::move(results)); });
  });
  return all ? std::move(*all) : Results(sets.size(), all.error());
}

Result<RowStream> PostgresSyncConnector::stream(std::string_view sql,
                                                const sdk::Arguments& arguments,
                                                const StreamOptions& options) {
  if (!client_)
    return error_of(mistakes_);
  auto statement = sdk::bind(sql, arguments);
  if (!statement)
    return statement.error();
  auto cursor = std::make_shared<Cursor>(client_, options);
  auto opened = wait_for<Status>(
    *client_->core(), [&](auto done) { cursor->open(std::move(*statement), std::move(done)); });
  if (!opened)
    return opened.error();
  return RowStream{std::move(cursor)};
}

Status PostgresSyncConnector::begin(const sdk::TransactionOptions& options) {
  if (!client_)
    return error_of(mistakes_);
  return wait_for<Status>(*client_->core(),
                          [&](auto done) { client_->begin(options, std::move(done)); });
}

Status PostgresSyncConnector::commit() {
  if (!client_)
    return error_of(mistakes_);
  return wait_for<Status>(*client_->core(), [&](auto done) { client_->commit(std::move(done)); });
}

Status PostgresSyncConnector::rollback() {
  if (!client_)
    return error_of(mistakes_);
  return wait_for<Status>(*client_->core(), [&](auto done) { client_->rollback(std::move(done)); });
}

Status PostgresSyncConnector::close() {
  if (!client_)
    return {};
  return wait_for<Status>(*client_->core(), [&](auto done) { client_->close(std::move(done)); });
}

PostgresSyncConnector PostgresSyncConnector::session() const {
  if (client_)
    return PostgresSyncConnector{client_->session()};
  PostgresSyncConnector broken{std::shared_ptr<Client>{}};
  broken.mistakes_ = mistakes_;
  return broken;
}

PoolInfo PostgresSyncConnector::pool_info() const {
  if (!client_)
    return {};
  auto info = wait_for<Result<PoolInfo>>(*client_->core(), [&](auto done) {
    client_->pool_info([done = std::move(done)](PoolInfo figures) { done(figures); });
  });
  return info ? *info : PoolInfo{};
}

HealthReport PostgresSyncConnector::health_check() const {
  if (!client_)
    return {.message = error_of(mistakes_).message()};
  const auto started = std::chrono::steady_clock::now();
  auto answer = std::make_shared<std::promise<std::optional<sdk::Error>>>();
  auto future = answer->get_future();
  sdk::Statement probe;
  probe.sql = "SELECT 1";
  probe.options.timeout = health_limit;
  probe.options.idempotent = true;
  // Not in the connector's transaction, which may have failed.
  client_->session()->execute(
    std::move(probe), [answer](const std::vector<Result<SqlResult>>& all) {
      answer->set_value(all.front() ? std::nullopt : std::optional{all.front().error()});
    });
  const bool answered = future.wait_for(health_limit) == std::future_status::ready;
  const std::chrono::duration<double, std::milli> latency = std::chrono::steady_clock::now()
                                                            - started;
  HealthReport report{HealthStatus::healthy, "Database connection OK", latency.count()};
  if (!answered) {
    // Perhaps nobody had a connection to spare: the pool is overrun, the server may be well.
    report.status = HealthStatus::degraded;
    report.message = "Database is slow to answer";
  } else if (const auto error = future.get()) {
    const bool busy = error->kind() == sdk::ErrorKind::timeout
                      || error->kind() == sdk::ErrorKind::overloaded;
    report.status = busy ? HealthStatus::degraded : HealthStatus::unhealthy;
    report.message = error->message();
  }
  return report;
}

}  // namespace millrace::postgres
