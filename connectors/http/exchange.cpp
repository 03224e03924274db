#include "connectors/http/exchange.hpp"

#include "connectors/http/gzip.hpp"
#include "connectors/sdk/error.hpp"
#include "connectors/sdk/json.hpp"

#include <utility>

namespace millrace::http {
namespace {

constexpr unsigned first_error = 400;

std::string_view text_of(const sdk::Value& object, std::string_view name) {
  const auto* value = object.find(name);
  return value && value->is_string() ? value->as_string() : std::string_view{};
}

// The database refused what the client sent, or there is a mistake of ours.
unsigned status_of_sqlstate(std::string_view sqlstate) {
  if (sqlstate.starts_with("23"))  // a constraint does not hold
    return 409;
  if (sqlstate.starts_with("22"))  // a value does not fit
    return 422;
  return 500;
}

unsigned status_of(sdk::ErrorKind kind, std::string_view sqlstate, bool of_receive) {
  switch (kind) {
  case sdk::ErrorKind::data:
    return of_receive ? 400 : 422;
  case sdk::ErrorKind::expression:
  case sdk::ErrorKind::failed:
    return 422;
  case sdk::ErrorKind::execution:
    return status_of_sqlstate(sqlstate);
  case sdk::ErrorKind::connection:
  case sdk::ErrorKind::overloaded:
  case sdk::ErrorKind::transaction:
  case sdk::ErrorKind::cancelled:
    return 503;
  case sdk::ErrorKind::timeout:
    return 504;
  default:
    return 500;
  }
}

// Not what is compressed already, as images are.
bool is_compressible(std::string_view type) {
  return type.starts_with("text/") || type.ends_with("json") || type.ends_with("xml")
         || type == "application/javascript";
}

void compress(Response& response) {
  constexpr std::size_t least = 1024;
  const auto* type = find_header(response.headers, "content-type");
  if (response.body.size() < least || !type || !is_compressible(essence_of(*type))
      || find_header(response.headers, "content-encoding"))
    return;
  auto zipped = gzip(response.body);
  if (zipped.empty() || zipped.size() >= response.body.size())
    return;
  response.body = std::move(zipped);
  response.headers.emplace_back("content-encoding", "gzip");
  response.headers.emplace_back("vary", "Accept-Encoding");
}

}  // namespace

Response failure_response(const sdk::Value& error, const std::string& receive_step,
                          const std::string& request_id) {
  auto kind = sdk::ErrorKind::internal;
  static_cast<void>(sdk::parse_error_kind(text_of(error, "kind"), kind));
  const auto status = status_of(kind, text_of(error, "sqlstate"),
                                text_of(error, "step") == receive_step);
  // What servers and statements say stays inside; what the client did wrong it is told.
  const bool told = kind == sdk::ErrorKind::failed || (status == 400);
  auto response = problem(status, told ? text_of(error, "message") : std::string_view{},
                          request_id);
  if (status == 503)
    response.headers.emplace_back("retry-after", "1");
  return response;
}

void Exchange::offer(std::uint32_t attempt, Response response) {
  const std::lock_guard lock{mutex_};
  const bool replaces = !offered_ || offered_at_ != attempt
                        || (offered_->status < first_error && response.status >= first_error);
  if (answered_ || !replaces)
    return;
  offered_ = std::move(response);
  offered_at_ = attempt;
}

sdk::Lane::Verdict Exchange::verdict() const noexcept {
  if (abandoned_.load(std::memory_order_acquire))
    return Verdict::abandoned;
  const std::lock_guard lock{mutex_};
  const bool refused = offered_ && offered_at_ == attempt() && offered_->status >= first_error;
  return refused ? Verdict::undo : Verdict::keep;
}

void Exchange::begin_again() noexcept {
  const std::lock_guard lock{mutex_};
  offered_.reset();
}

unsigned Exchange::conclude(sdk::Outcome outcome, const sdk::Value& value,
                            const std::string& receive_step) {
  auto response = response_to(outcome, value, receive_step);
  const auto status = response.status;
  answer(std::move(response));
  return status;
}

Response Exchange::response_to(sdk::Outcome outcome, const sdk::Value& value,
                               const std::string& receive_step) {
  std::optional<Response> offered;
  {
    const std::lock_guard lock{mutex_};
    if (offered_ && offered_at_ == attempt())
      offered = std::exchange(offered_, std::nullopt);
  }
  // A success that was offered before something failed would be a lie.
  const bool failed = outcome == sdk::Outcome::failed || outcome == sdk::Outcome::lost;
  if (offered && (!failed || offered->status >= first_error))
    return std::move(*offered);
  if (failed)
    return failure_response(value, receive_step, request_id_);
  Response response;
  if (outcome == sdk::Outcome::delivered) {
    response.headers.emplace_back("content-type", "application/json");
    sdk::append_json(response.body, value);
  } else if (outcome == sdk::Outcome::filtered) {
    response.status = 204;
  } else {  // skipped or dead-lettered: it failed, and somebody else has it now
    response = problem(500, {}, request_id_);
  }
  return response;
}

void Exchange::answer(Response response) {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(answered_, true))
      return;
    offered_.reset();
  }
  if (gzips_)
    compress(response);
  response.headers.emplace_back("x-request-id", request_id_);
  if (const auto to = to_.lock())
    to->answer(number_, std::move(response));
}

}  // namespace millrace::http
