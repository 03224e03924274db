#include "connectors/http/respond.hpp"

#include "connectors/http/encode.hpp"
#include "connectors/http/exchange.hpp"

#include <utility>

namespace millrace::http {
namespace {

sdk::Error unfit(std::string message, std::string hint = {}) {
  return {sdk::ErrorKind::data, std::move(message), {.hint = std::move(hint)}};
}

sdk::Result<unsigned> to_status(const sdk::Value& value) {
  constexpr std::int64_t least = 200;
  constexpr std::int64_t most = 599;
  if (!value.is_integer() || value.as_integer() < least || value.as_integer() > most)
    return unfit("'status' is no number from 200 to 599");
  return static_cast<unsigned>(value.as_integer());
}

}  // namespace

sdk::Status RespondStep::start(const sdk::StepContext& context) {
  context_ = context;
  return {};
}

void RespondStep::process(sdk::Batch batch, sdk::StepDone done) {
  std::vector<sdk::Failure> failures;
  // The source of this pipeline is ours (the compiler sees to it), but `batch` puts many records
  // into one, which nobody waits for.
  auto* exchange = dynamic_cast<Exchange*>(batch.lane().get());
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    auto response = exchange ? make(batch[i])
                             : sdk::Result<Response>{unfit(
                               "this record is no single request any more",
                               "answer before the records of several requests are put together")};
    if (response)
      exchange->offer(batch.attempt(), std::move(*response));
    else
      failures.push_back({i, std::move(response).error()});
  }
  done(std::move(batch), std::move(failures));
}

sdk::Result<Response> RespondStep::make(const sdk::Record& record) const {
  const sdk::Scope scope{.record = &record};
  Response response;
  if (config_->status) {
    auto value = config_->status->evaluate(scope);
    if (!value)
      return std::move(value).error();
    auto status = to_status(*value);
    if (!status)
      return std::move(status).error();
    response.status = *status;
  }
  for (const auto& [name, expression] : config_->headers) {
    auto value = expression->evaluate(scope);
    if (!value)
      return std::move(value).error();
    if (auto added = add_header(response.headers, name, *value); !added)
      return std::move(added).error();
  }
  auto value = config_->body ? config_->body->evaluate(scope)
                             : sdk::Result<sdk::Value>{record.get(context_.input)};
  if (!value)
    return std::move(value).error();
  auto body = encode_body(config_->format, *value);
  if (!body)
    return std::move(body).error();
  response.body = std::move(*body);
  if (!find_header(response.headers, "content-type"))
    response.headers.emplace_back("content-type", content_type_of(config_->format));
  return response;
}

}  // namespace millrace::http
