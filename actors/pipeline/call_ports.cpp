#include "actors/pipeline/call_ports.hpp"

#include <utility>
#include <vector>

namespace millrace::actors {

class CallPort::CallSource final : public sdk::Source {
public:
  explicit CallSource(std::shared_ptr<CallPort> port) : port_{std::move(port)} {}

  CallSource(const CallSource&) = delete;
  CallSource& operator=(const CallSource&) = delete;

  ~CallSource() override { port_->detach(); }

  sdk::Status start(const sdk::SourceContext& context) override {
    port_->attach(context);
    return {};
  }

  bool answers() const noexcept override { return true; }

  void answer(const sdk::Lane& /*lane*/, std::uint64_t position, sdk::Outcome outcome,
              const sdk::Value& answer) override {
    port_->answered(position, outcome, answer);
  }

  void stop() override {
    // Those that may still call are asked to stop as well, and what they have open may need this
    // pipeline: it ends after the last of them.
    port_->end_if_uncalled();
  }

private:
  std::shared_ptr<CallPort> port_;
};

sdk::SourceFactory CallPort::source_factory() {
  return [port = shared_from_this()] { return std::make_unique<CallSource>(port); };
}

void CallPort::call(sdk::Value input, Done done) {
  {
    const std::lock_guard lock{mutex_};
    if (!closed_) {
      const auto id = next_id_++;
      open_.emplace(id, std::move(done));
      waiting_.push_back({id, std::move(input)});
      done = nullptr;
    }
  }
  if (done)
    done(ended_reply());
  else
    pump();
}

void CallPort::attach(const sdk::SourceContext& context) {
  bool ended = false;
  {
    const std::lock_guard lock{mutex_};
    events_ = context.events;
    output_ = context.output;
    pumping_ = false;
    ended = no_more_ || callers_ == 0;
  }
  if (ended)
    context.events->end();
  else
    pump();
}

void CallPort::detach() {
  const std::lock_guard lock{mutex_};
  events_ = nullptr;
}

// Hands calls over while there is credit. Under the lock, so that the source cannot go meanwhile;
// its events only pass the news on. (They may call `resume` at once, hence the recursive lock.)
void CallPort::pump() {
  const std::lock_guard lock{mutex_};
  while (events_ && !waiting_.empty()) {
    if (!events_->has_credit()) {
      if (std::exchange(pumping_, true))
        return;
      asking_ = true;
      events_->when_credit([weak = weak_from_this()] {
        if (const auto port = weak.lock())
          port->resume();
      });
      asking_ = false;
      // Called back at once and still without credit: it would only be so again.
      if (pumping_ || !events_->has_credit())
        return;
    }
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    sdk::Intake intake;
    intake.lane = std::make_shared<sdk::Lane>("call");
    intake.bytes = next.input.heap_bytes();
    auto& record = intake.records.emplace_back();
    record.position = next.id;
    record.set(output_, std::move(next.input));
    events_->emit(std::move(intake));
  }
}

void CallPort::resume() {
  {
    const std::lock_guard lock{mutex_};
    pumping_ = false;
    if (asking_)
      return;  // within `pump`, which goes on
  }
  pump();
}

void CallPort::answered(std::uint64_t id, sdk::Outcome outcome, const sdk::Value& answer) {
  Done done;
  {
    const std::lock_guard lock{mutex_};
    const auto found = open_.find(id);
    if (found == open_.end())
      return;
    done = std::move(found->second);
    open_.erase(found);
  }
  if (outcome == sdk::Outcome::failed)
    done(failed_reply(answer));
  else
    done({outcome, answer, std::nullopt});
}

CallReply CallPort::failed_reply(const sdk::Value& error) const {
  auto kind = sdk::ErrorKind::execution;
  sdk::Error::Detail detail;
  std::string message = "pipeline '" + pipeline_ + "' failed";
  if (const auto* name = error.find("kind"); name && name->is_string())
    static_cast<void>(sdk::parse_error_kind(name->as_string(), kind));
  if (const auto* code = error.find("sqlstate"); code && code->is_string())
    detail.code = code->as_string();
  if (const auto* text = error.find("message"); text && text->is_string())
    message += ": " + std::string{text->as_string()};
  return {sdk::Outcome::failed, {}, sdk::Error{kind, std::move(message), std::move(detail)}};
}

CallReply CallPort::ended_reply() const {
  return {sdk::Outcome::failed,
          {},
          sdk::Error{sdk::ErrorKind::cancelled, "pipeline '" + pipeline_ + "' has ended"}};
}

void CallPort::add_caller() {
  const std::lock_guard lock{mutex_};
  ++callers_;
}

void CallPort::remove_caller() {
  const std::lock_guard lock{mutex_};
  if (--callers_ > 0)
    return;
  no_more_ = true;
  if (events_)
    events_->end();
}

void CallPort::end_if_uncalled() {
  const std::lock_guard lock{mutex_};
  if (events_ && callers_ == 0)
    events_->end();
}

void CallPort::close() {
  std::vector<Done> failed;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    events_ = nullptr;
    waiting_.clear();
    for (auto& [id, done] : open_)
      failed.push_back(std::move(done));
    open_.clear();
  }
  for (const auto& done : failed)
    done(ended_reply());
}

}  // namespace millrace::actors
