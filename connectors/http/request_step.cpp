#include "connectors/http/request_step.hpp"

#include "connectors/http/client/clients.hpp"
#include "connectors/http/client/retry_plan.hpp"
#include "connectors/http/encode.hpp"
#include "connectors/http/intake.hpp"
#include "connectors/http/target.hpp"
#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace millrace::http {
namespace {

using sdk::ErrorKind;

sdk::Error refused(const RequestConfig& config, const std::string& what, unsigned status) {
  const auto& retried = config.rules.statuses;
  const bool transient = std::ranges::find(retried, status) != retried.end();
  constexpr unsigned server_error = 500;
  return {
    status >= server_error || transient ? ErrorKind::connection : ErrorKind::execution,
    what + " at server '" + config.server->name + "' was answered " + std::to_string(status) + " "
      + std::string{reason_of(status)},
    {.hint = "'accept' makes a status a result",
     .code = std::to_string(status),
     .retryable = transient && (is_idempotent(config.method) || status == 429 || status == 503),
     .attempts = config.rules.attempts}};
}

ResponseFormat format_of(const RequestConfig& config, const CallReply& reply) {
  if (config.response_format != ResponseFormat::by_type)
    return config.response_format;
  const auto* header = find_header(reply.headers, "content-type");
  const auto type = header ? essence_of(*header) : std::string{};
  if (type == "application/json" || type.ends_with("+json"))
    return ResponseFormat::json;
  const bool text = type.starts_with("text/") || type.ends_with("xml")
                    || type == "application/x-www-form-urlencoded";
  return text || type.empty() ? ResponseFormat::text : ResponseFormat::bytes;
}

sdk::Result<sdk::Value> to_value(const RequestConfig& config, const CallReply& reply) {
  ReceiveConfig decoded;
  const auto format = format_of(config, reply);
  decoded.format = format == ResponseFormat::json   ? BodyFormat::json
                   : format == ResponseFormat::text ? BodyFormat::text
                                                    : BodyFormat::bytes;
  sdk::Value body;
  if (const auto bad = decode_body(decoded, false, reply.body, body))
    return sdk::Error{ErrorKind::data, "the response of server '" + config.server->name
                                         + "' cannot be read: " + bad->detail};
  return sdk::Value::object({{"status", sdk::Value{reply.status}},
                             {"headers", headers_value(reply.headers)},
                             {"body", std::move(body)}});
}

// What a record brings must not lead out of the path that was written.
bool climbs(std::string_view path) {
  path = path.substr(0, path.find('?'));
  for (std::size_t at = 1; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto segment = path.substr(at, end - at);
    if (segment == "." || segment == "..")
      return true;
    at = end + 1;
  }
  return false;
}

// A span of ours below the one of who asked us.
std::string child_trace(std::string parent) {
  constexpr std::size_t at = 36;
  constexpr std::size_t digits = 16;
  return parent.replace(at, digits, random_hex(digits));
}

}  // namespace

/// A batch under way: its records are asked for side by side.
struct RequestStep::Work {
  std::mutex mutex;
  sdk::Batch batch;
  std::vector<sdk::Failure> failures;
  std::size_t open = 0;
  sdk::StepDone done;

  // The last one hands the batch back.
  void one_less() {
    {
      const std::lock_guard lock{mutex};
      if (--open > 0)
        return;
    }
    std::ranges::sort(failures, {}, &sdk::Failure::index);
    done(std::move(batch), std::move(failures));
  }

  void fail(std::uint32_t index, sdk::Error error) {
    const std::lock_guard lock{mutex};
    failures.push_back({index, std::move(error)});
  }
};

sdk::Status RequestStep::start(const sdk::StepContext& context) {
  context_ = context;
  client_ = config_->server->clients->get(*config_->server, *context.reactor);
  return {};
}

void RequestStep::process(sdk::Batch batch, sdk::StepDone done) {
  auto work = std::make_shared<Work>();
  work->open = batch.size() + 1;  // one for us: nothing is handed back while we are at it
  work->batch = std::move(batch);
  work->done = std::move(done);
  const auto count = static_cast<std::uint32_t>(work->batch.size());
  for (std::uint32_t index = 0; index < count; ++index) {
    auto call = make(work->batch[index], *work->batch.lane());
    if (!call) {
      work->fail(index, std::move(call).error());
      work->one_less();
      continue;
    }
    auto what = config_->method + " " + config_->path->text();
    client_->call(std::move(*call), config_->rules, what,
                  [work, index, what, config = config_,
                   output = context_.output](sdk::Result<CallReply> reply) {
                    auto value = !reply ? sdk::Result<sdk::Value>{std::move(reply).error()}
                                 : is_accepted(config->accept, reply->status)
                                   ? to_value(*config, *reply)
                                   : refused(*config, what, reply->status);
                    if (value)
                      work->batch[index].set(output, std::move(*value));
                    else
                      work->fail(index, std::move(value).error());
                    work->one_less();
                  });
  }
  work->one_less();
}

sdk::Result<Call> RequestStep::make(const sdk::Record& record, const sdk::Lane& lane) const {
  const sdk::Scope scope{.record = &record};
  Call call;
  call.method = config_->method;
  auto path = config_->path->evaluate(scope);
  if (!path)
    return std::move(path).error();
  const auto text = path->is_string() ? path->as_string() : std::string_view{};
  if (!text.starts_with('/'))
    return sdk::Error{ErrorKind::data,
                      "'path' gives no text with a slash in front for this record"};
  if (climbs(text))
    return sdk::Error{ErrorKind::data, "'path' holds a segment '.' or '..' for this record"};
  call.url = config_->server->base_url + std::string{text};
  char separator = call.url.find('?') == std::string::npos ? '?' : '&';
  for (const auto& [name, expression] : config_->query) {
    auto value = expression->evaluate(scope);
    if (!value)
      return std::move(value).error();
    if (auto field = form_field(name, *value); !field.empty())
      call.url += std::exchange(separator, '&') + field;
  }
  for (const auto& [name, expression] : config_->headers) {
    auto value = expression->evaluate(scope);
    if (!value)
      return std::move(value).error();
    if (auto added = add_header(call.headers, name, *value); !added)
      return std::move(added).error();
  }
  if (config_->body) {
    auto value = config_->body->evaluate(scope);
    if (!value)
      return std::move(value).error();
    auto body = encode_body(config_->format, *value);
    if (!body)
      return std::move(body).error();
    call.body = std::move(*body);
    call.has_body = true;
    if (!find_header(call.headers, "content-type"))
      call.headers.emplace_back("content-type", content_type_of(config_->format));
  }
  const auto* trace = lane.meta().find("traceparent");
  if (trace && trace->is_string() && !find_header(call.headers, "traceparent"))
    call.headers.emplace_back("traceparent", child_trace(std::string{trace->as_string()}));
  return call;
}

}  // namespace millrace::http
