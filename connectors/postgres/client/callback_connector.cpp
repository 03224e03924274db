#include "connectors/postgres/client/callback_connector.hpp"

#include "connectors/postgres/client/client.hpp"
#include "connectors/postgres/client/cursor.hpp"

#include <utility>

namespace millrace::postgres {

namespace {

using sdk::Result;
using sdk::SqlResult;
using Results = std::vector<Result<SqlResult>>;

sdk::Error error_of(const std::shared_ptr<const sdk::Error>& mistakes) {
  return mistakes ? *mistakes
                  : sdk::Error{sdk::ErrorKind::internal, "the connector was moved away"};
}

}  // namespace

CallbackConnector::CallbackConnector(const ConnectionConfig& config, sdk::Log& log) {
  if (auto settings = resolve(config))
    client_ = std::make_shared<Client>(std::make_shared<ClientCore>(*settings, log, nullptr));
  else
    mistakes_ = std::make_shared<const sdk::Error>(settings.error());
}

CallbackConnector::CallbackConnector(Settings settings, sdk::Log& log,
                                     std::shared_ptr<sdk::Reactor> reactor)
  : client_{std::make_shared<Client>(
    std::make_shared<ClientCore>(std::move(settings), log, std::move(reactor)))} {
}

CallbackConnector::CallbackConnector(std::shared_ptr<Client> client,
                                     std::shared_ptr<const sdk::Error> mistakes)
  : client_{std::move(client)}, mistakes_{std::move(mistakes)} {
}

CallbackConnector::CallbackConnector(CallbackConnector&& other) noexcept = default;
CallbackConnector& CallbackConnector::operator=(CallbackConnector&& other) noexcept = default;
CallbackConnector::~CallbackConnector() = default;

void CallbackConnector::async_connect(sdk::StatusCallback done) {
  if (client_)
    client_->connect(std::move(done));
  else
    done(error_of(mistakes_));
}

void CallbackConnector::async_execute(std::string sql, sdk::Arguments arguments,
                                      sdk::StatementOptions options, sdk::ResultCallback done) {
  async_execute_many(
    std::move(sql), {std::move(arguments)}, options,
    [done = std::move(done)](Results results) { done(std::move(results.front())); });
}

void CallbackConnector::async_execute_many(std::string sql, std::vector<sdk::Arguments> sets,
                                           sdk::StatementOptions options,
                                           std::function<void(Results)> done) {
  if (!client_) {
    done(Results(sets.size(), error_of(mistakes_)));
    return;
  }
  auto statement = sdk::bind_many(sql, sets, options);
  if (statement)
    client_->execute(std::move(*statement), std::move(done));
  else
    done(Results(sets.size(), statement.error()));
}

void CallbackConnector::async_begin(sdk::TransactionOptions options, sdk::StatusCallback done) {
  if (client_)
    client_->begin(options, std::move(done));
  else
    done(error_of(mistakes_));
}

void CallbackConnector::async_commit(sdk::StatusCallback done) {
  if (client_)
    client_->commit(std::move(done));
  else
    done(error_of(mistakes_));
}

void CallbackConnector::async_rollback(sdk::StatusCallback done) {
  if (client_)
    client_->rollback(std::move(done));
  else
    done(error_of(mistakes_));
}

void CallbackConnector::async_close(sdk::StatusCallback done) {
  if (client_)
    client_->close(std::move(done));
  else
    done({});
}

void CallbackConnector::async_stream(std::string sql, sdk::Arguments arguments,
                                     StreamOptions options,
                                     std::function<void(Result<RowStream>)> done) {
  if (!client_) {
    done(error_of(mistakes_));
    return;
  }
  auto statement = sdk::bind(sql, arguments);
  if (!statement) {
    done(statement.error());
    return;
  }
  auto cursor = std::make_shared<Cursor>(client_, options);
  cursor->open(std::move(*statement), [cursor, done = std::move(done)](const sdk::Status& opened) {
    if (opened)
      done(RowStream{cursor});
    else
      done(opened.error());
  });
}

void CallbackConnector::async_pool_info(std::function<void(PoolInfo)> done) {
  if (client_)
    client_->pool_info(std::move(done));
  else
    done({});
}

CallbackConnector CallbackConnector::session() const {
  return CallbackConnector{client_ ? client_->session() : nullptr, mistakes_};
}

}  // namespace millrace::postgres
