#include "connectors/http/port.hpp"

#include <utility>
#include <vector>

namespace millrace::http {
namespace {

Response gone(const std::string& request_id) {
  auto response = problem(503, "the service is stopping", request_id);
  response.headers.emplace_back("retry-after", "1");
  return response;
}

}  // namespace

void Port::attach(const sdk::SourceContext& context) {
  const std::lock_guard lock{mutex_};
  context_ = context;
  events_ = context.events;
  stopped_ = false;
}

void Port::detach() {
  std::unordered_map<std::uint64_t, std::shared_ptr<Exchange>> open;
  {
    const std::lock_guard lock{mutex_};
    events_ = nullptr;
    open.swap(open_);
  }
  for (const auto& [position, exchange] : open) {
    exchange->abandon();
    exchange->answer(gone(exchange->request_id()));
  }
}

void Port::stop() {
  const std::lock_guard lock{mutex_};
  // Under the lock: nothing may be emitted after the end.
  if (!std::exchange(stopped_, true) && events_)
    events_->end();
}

bool Port::is_open() const {
  const std::lock_guard lock{mutex_};
  return events_ && !stopped_;
}

bool Port::has_room() const {
  const std::lock_guard lock{mutex_};
  return events_ && !stopped_ && open_.size() < config_->max_requests && events_->has_credit();
}

Port::Taken Port::take(const std::shared_ptr<Exchange>& exchange, sdk::Value payload,
                       std::size_t bytes) {
  const std::lock_guard lock{mutex_};
  if (!events_ || stopped_)
    return Taken::closed;
  if (open_.size() >= config_->max_requests || !events_->has_credit())
    return Taken::overloaded;
  sdk::Intake intake;
  intake.lane = exchange;
  intake.bytes = bytes;
  auto& record = intake.records.emplace_back();
  record.position = next_position_++;
  record.set(context_.output, std::move(payload));
  if (context_.meta)
    record.set(*context_.meta, exchange->meta());
  open_.emplace(record.position, exchange);
  // Under the lock, so that the source cannot go meanwhile; the engine only passes it on.
  events_->emit(std::move(intake));
  return Taken::yes;
}

void Port::conclude(const sdk::Lane& /*lane*/, std::uint64_t position, sdk::Outcome outcome,
                    const sdk::Value& value) {
  std::shared_ptr<Exchange> exchange;
  std::string name;
  {
    const std::lock_guard lock{mutex_};
    const auto found = open_.find(position);
    if (found == open_.end())
      return;
    exchange = std::move(found->second);
    open_.erase(found);
    name = context_.name;
  }
  const auto status = exchange->conclude(outcome, value, name);
  if (outcome == sdk::Outcome::failed)
    log_failure(status, *exchange, value);
}

// The client is told no more than that something failed; whoever runs this is told what.
void Port::log_failure(unsigned status, const Exchange& exchange, const sdk::Value& error) {
  constexpr unsigned server_error = 500;
  sdk::Log* log = nullptr;
  std::string pipeline;
  {
    const std::lock_guard lock{mutex_};
    log = events_ ? context_.log : nullptr;
    pipeline = context_.pipeline;
  }
  if (!log || status < server_error)
    return;
  const auto member = [&](std::string_view field) {
    const auto* found = error.find(field);
    return found ? *found : sdk::Value{};
  };
  // The trace id of W3C's traceparent, "00-<trace id>-…".
  const auto* parent = exchange.meta().find("traceparent");
  const std::string trace{parent && parent->is_string() ? parent->as_string() : ""};
  constexpr std::size_t trace_begin = 3;
  constexpr std::size_t trace_length = 32;
  log->warn("request failed", {{"pipeline", sdk::Value{pipeline}},
                               {"request", sdk::Value{exchange.request_id()}},
                               {"status", sdk::Value{status}},
                               {"step", member("step")},
                               {"kind", member("kind")},
                               {"error", member("message")},
                               {"trace", sdk::Value{trace.size() > trace_begin + trace_length
                                                      ? trace.substr(trace_begin, trace_length)
                                                      : std::string{}}}});
}

void Port::begin() {
  const std::lock_guard lock{mutex_};
  ++unwritten_;
}

void Port::written() {
  std::function<void()> done;
  {
    const std::lock_guard lock{mutex_};
    if (--unwritten_ == 0)
      done = std::exchange(when_written_, nullptr);
  }
  if (done)
    done();
}

void Port::when_written(std::function<void()> done) {
  {
    const std::lock_guard lock{mutex_};
    if (unwritten_ > 0) {
      when_written_ = std::move(done);
      return;
    }
  }
  done();
}

}  // namespace millrace::http
