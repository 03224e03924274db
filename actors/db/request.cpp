#include "actors/db/request.hpp"

#include <utility>

namespace millrace::actors::db {

namespace {

sdk::Error pool_is_gone() {
  return {sdk::ErrorKind::connection, "the database pool is closed"};
}

sdk::Error session_is_over() {
  return {sdk::ErrorKind::transaction,
          "the transaction has ended: nothing more can be done in it",
          {.hint = "begin a new one", .code = "25P01"}};
}

}  // namespace

void SessionFate::decide(sdk::Error error) {
  const std::lock_guard lock{mutex_};
  if (!error_)
    error_ = std::move(error);
}

sdk::Error SessionFate::error() const {
  const std::lock_guard lock{mutex_};
  return error_.value_or(session_is_over());
}

std::optional<sdk::Instant> SessionPulse::resting_since() const noexcept {
  const auto since = since_.load();
  if (since == at_work)
    return std::nullopt;
  return sdk::Instant{sdk::Instant::duration{since}};
}

Request::Request(std::vector<sdk::Statement> wanted, bool all_or_nothing, Done done_callback)
  : atomic{all_or_nothing}, done_{std::move(done_callback)} {
  for (auto& statement : wanted) {
    const auto number = static_cast<std::uint32_t>(statements.size());
    for (std::uint32_t set = 0; set < statement.sets.size(); ++set)
      items.push_back({.statement = number, .set = set});
    statements.push_back(std::make_shared<const sdk::Statement>(std::move(statement)));
  }
  todo.resize(items.size());
  for (std::uint32_t i = 0; i < todo.size(); ++i)
    todo[i] = i;
}

Request::~Request() {
  if (done_)
    answer(fate ? fate->error() : pool_is_gone());
}

void Request::answer() {
  if (!done_)
    return;
  answer(sdk::Error{sdk::ErrorKind::internal, "the statement was answered without a result"});
}

void Request::answer(const sdk::Error& missing) {
  if (!done_)
    return;
  ExecuteReply reply;
  reply.results.reserve(items.size());
  for (auto& item : items) {
    if (item.result)
      reply.results.push_back(std::move(*item.result));
    else
      reply.results.emplace_back(missing);
  }
  std::exchange(done_, nullptr)(std::move(reply));
}

void Request::refuse(const sdk::Error& error) {
  for (auto& item : items)
    item.result.reset();
  answer(error);
}

SessionRequest::~SessionRequest() {
  if (done)
    answer(pool_is_gone());
}

void SessionRequest::answer(sdk::Result<SessionHandle> session) {
  if (done)
    std::exchange(done, nullptr)(std::move(session));
}

}  // namespace millrace::actors::db
