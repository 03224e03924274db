#include "actors/sources/channel_listener.hpp"

#include "connectors/sdk/sql/identifier.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors {

namespace {

using namespace std::chrono_literals;

std::chrono::milliseconds wait_after(std::uint32_t failures) {
  return std::min<std::chrono::milliseconds>(100ms * (1U << std::min(failures, 7U)), 10s);
}

}  // namespace

ChannelListener::ChannelListener(std::vector<std::string> channels, DatabaseHandle database,
                                 std::shared_ptr<Turns> turns, Heard heard, sdk::Log& log,
                                 sdk::SourceEvents* gate)
  : channels_{std::move(channels)},
    database_{std::move(database)},
    turns_{std::move(turns)},
    heard_{std::move(heard)},
    log_{log},
    gate_{gate} {
}

void ChannelListener::start() {
  retrying_ = false;
  // It sits idle for as long as nothing is notified.
  const sdk::TransactionOptions options{.idle_timeout = 0ms, .holder = "listen", .plain = true};
  database_.begin(options,
                  turns_->taking([self = shared_from_this()](sdk::Result<SessionHandle> session) {
                    if (!session) {
                      self->again(session.error());
                      return;
                    }
                    self->session_ = std::move(*session);
                    self->listen(0);
                  }));
}

void ChannelListener::listen(std::size_t channel) {
  if (channel == channels_.size()) {
    failures_ = 0;
    heard_.listening(std::exchange(was_listening_, true));
    return;
  }
  sdk::Statement statement{.sql = "LISTEN " + sdk::sql::quote_identifier(channels_[channel])};
  statement.listener = shared_from_this();
  session_->execute(std::move(statement),
                    turns_->taking([self = shared_from_this(), channel](const ExecuteReply& reply) {
                      const auto& result = reply.results.front();
                      if (!self->session_)
                        return;
                      if (result)
                        self->listen(channel + 1);
                      else
                        self->again(result.error());
                    }));
}

// The news comes from the wire and from the session; once is enough.
void ChannelListener::again(const sdk::Error& error) {
  session_.reset();
  if (std::exchange(retrying_, true))
    return;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return;
  }
  if (!error.retryable() && error.kind() != sdk::ErrorKind::connection) {
    heard_.refused(error);
    return;
  }
  const auto wait = wait_after(failures_++);
  log_.warn("listening was interrupted, it is begun again",
            {{"server", sdk::Value{database_.settings().name}},
             {"error", sdk::Value{error.to_string()}},
             {"delay_ms", sdk::Value{wait.count()}}});
  turns_->after(wait, [self = shared_from_this()] { self->start(); });
}

void ChannelListener::end() {
  stop();
  session_.reset();
}

void ChannelListener::stop() {
  std::function<void()> resume;
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
    gate_ = nullptr;
    resume = std::exchange(resume_, nullptr);
  }
  if (resume)
    resume();  // what ends the session has to be read
}

void ChannelListener::notified(sdk::Notification notification) {
  {
    const std::lock_guard lock{mutex_};
    if (stopped_)
      return;
    heard_now_.push_back(std::move(notification));
    if (heard_now_.size() > 1)
      return;
  }
  turns_->post([self = shared_from_this()] {
    std::vector<sdk::Notification> heard;
    {
      const std::lock_guard lock{self->mutex_};
      if (self->stopped_)
        return;
      heard = std::exchange(self->heard_now_, {});
    }
    self->heard_.notifications(std::move(heard));
  });
}

void ChannelListener::lost(const sdk::Error& error) {
  turns_->post([self = shared_from_this(), error] { self->again(error); });
}

bool ChannelListener::ready() const {
  const std::lock_guard lock{mutex_};
  return !gate_ || gate_->has_credit();
}

void ChannelListener::when_ready(std::function<void()> resume) {
  {
    const std::lock_guard lock{mutex_};
    if (gate_) {
      resume_ = std::move(resume);
      gate_->when_credit([weak = weak_from_this()] {
        if (const auto self = weak.lock())
          self->turns_->post([self] {
            std::function<void()> go;
            {
              const std::lock_guard inner{self->mutex_};
              go = std::exchange(self->resume_, nullptr);
            }
            if (go)
              go();
          });
      });
      return;
    }
  }
  resume();
}

}  // namespace millrace::actors
