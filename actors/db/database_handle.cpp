#include "actors/db/database_handle.hpp"

#include "actors/db/protocol.hpp"
#include "connectors/sdk/sql/identifier.hpp"

#include <optional>
#include <utility>
#include <variant>

namespace millrace::actors {

namespace {

using db::Request;
using db::RequestPtr;
using sdk::SessionVerb;

RequestPtr session_request(sdk::Statement statement, Request::Done done) {
  std::vector<sdk::Statement> one;
  one.push_back(std::move(statement));
  return std::make_shared<Request>(std::move(one), false, std::move(done));
}

/// Calls back once: with an answer, or with `otherwise` when nobody gave one because the pool had
/// ended.
template <class T>
class Owed {
public:
  Owed(std::function<void(T)> done, T otherwise)
    : done_{std::move(done)}, otherwise_{std::move(otherwise)} {}

  Owed(const Owed&) = delete;
  Owed& operator=(const Owed&) = delete;

  ~Owed() { answer(std::move(otherwise_)); }

  void answer(T value) {
    if (auto done = std::exchange(done_, nullptr))
      done(std::move(value));
  }

private:
  std::function<void(T)> done_;
  T otherwise_;
};

template <class T>
std::function<void(T)> owed(std::function<void(T)> done, T otherwise) {
  return [owed = std::make_shared<Owed<T>>(std::move(done), std::move(otherwise))](T value) {
    owed->answer(std::move(value));
  };
}

// A command whose only news is whether it worked.
RequestPtr control_request(std::string sql, SessionHandle::Done done) {
  return session_request({.sql = std::move(sql)},
                         [done = std::move(done)](const ExecuteReply& reply) {
                           const auto& result = reply.results.front();
                           done(result ? sdk::Status{} : sdk::Status{result.error()});
                         });
}

}  // namespace

std::string_view to_string(HealthStatus status) noexcept {
  switch (status) {
  case HealthStatus::healthy:
    return "healthy";
  case HealthStatus::degraded:
    return "degraded";
  case HealthStatus::unhealthy:
    break;
  }
  return "unhealthy";
}

SessionHandle::SessionHandle(std::shared_ptr<db::SessionLink> link) : link_{std::move(link)} {
}

void SessionHandle::execute(sdk::Statement statement,
                            std::function<void(ExecuteReply)> done) const {
  link_->send(SessionVerb::execute, session_request(std::move(statement), std::move(done)));
}

void SessionHandle::savepoint(std::string name, Done done) const {
  link_->send(SessionVerb::savepoint,
              control_request("SAVEPOINT " + sdk::sql::quote_identifier(name), std::move(done)));
}

void SessionHandle::rollback_to(std::string name, Done done) const {
  link_->send(
    SessionVerb::rollback_to,
    control_request("ROLLBACK TO SAVEPOINT " + sdk::sql::quote_identifier(name), std::move(done)));
}

void SessionHandle::release(std::string name, Done done) const {
  link_->send(
    SessionVerb::release,
    control_request("RELEASE SAVEPOINT " + sdk::sql::quote_identifier(name), std::move(done)));
}

void SessionHandle::commit(Done done) const {
  link_->send(SessionVerb::commit, control_request("COMMIT", std::move(done)));
}

void SessionHandle::rollback(Done done) const {
  link_->send(SessionVerb::rollback, control_request("ROLLBACK", std::move(done)));
}

DatabaseHandle::DatabaseHandle(std::shared_ptr<db::PoolLink> link) : link_{std::move(link)} {
}

DatabaseHandle DatabaseHandle::for_pipelines() const {
  auto handle = *this;
  handle.backlog_ = true;
  return handle;
}

void DatabaseHandle::execute(sdk::Statement statement,
                             std::function<void(ExecuteReply)> done) const {
  std::vector<sdk::Statement> one;
  one.push_back(std::move(statement));
  auto request = std::make_shared<Request>(std::move(one), false, std::move(done));
  request->backlog = backlog_;
  if (link_->inbox->push(std::move(request)))
    caf::anon_send(link_->actor, db::TakeRequests{});
}

void DatabaseHandle::execute_batch(std::vector<sdk::Statement> statements,
                                   std::function<void(ExecuteReply)> done) const {
  auto request = std::make_shared<Request>(std::move(statements), true, std::move(done));
  request->backlog = backlog_;
  if (request->items.empty())
    request->answer();
  else if (link_->inbox->push(std::move(request)))
    caf::anon_send(link_->actor, db::TakeRequests{});
}

void DatabaseHandle::begin(sdk::TransactionOptions options,
                           std::function<void(sdk::Result<SessionHandle>)> done) const {
  auto request = std::make_shared<db::SessionRequest>();
  request->options = options;
  request->done = std::move(done);
  request->backlog = backlog_;
  caf::anon_send(link_->actor, db::BeginTransaction{std::move(request)});
}

void DatabaseHandle::pool_info(std::function<void(PoolInfo)> done) const {
  caf::anon_send(link_->actor, db::GetPoolInfo{owed<PoolInfo>(std::move(done), {})});
}

void DatabaseHandle::health(std::function<void(HealthReport)> done) const {
  HealthReport closed{HealthStatus::unhealthy, "the database pool is closed"};
  caf::anon_send(link_->actor, db::HealthCheck{owed(std::move(done), std::move(closed))});
}

void DatabaseHandle::drain(std::function<void()> done) const {
  auto told = owed<std::monostate>([done = std::move(done)](std::monostate) { done(); }, {});
  caf::anon_send(link_->actor, db::Drain{[told = std::move(told)] { told({}); }});
}

void DatabaseHandle::close() const {
  caf::anon_send(link_->actor, db::Close{});
}

std::shared_ptr<const sdk::MetricSource> DatabaseHandle::metrics() const {
  return link_->metrics;
}

const sdk::DatabaseSettings& DatabaseHandle::settings() const noexcept {
  return *link_->settings;
}

const sdk::DatabaseDriver& DatabaseHandle::driver() const noexcept {
  return *link_->driver;
}

}  // namespace millrace::actors
