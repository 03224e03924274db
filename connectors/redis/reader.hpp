// Reader: the part of a source that lives on the loop: a connection of its own, which waits for
// what comes, and is made anew with backoff where it is lost. What has settled is said through the
// client that all share, since the own connection may just be waiting.
#pragma once

#include "connectors/redis/client.hpp"
#include "connectors/redis/connection.hpp"
#include "connectors/redis/message.hpp"
#include "connectors/sdk/source.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>

namespace millrace::redis {

/// The way to the engine, which may go before we do.
class EventsGate {
public:
  explicit EventsGate(sdk::SourceEvents* events) : events_{events} {}

  /// @returns false where nobody listens any more.
  template <class Use>
  bool use(Use&& use) {
    const std::lock_guard lock{mutex_};
    if (events_)
      use(*events_);
    return events_ != nullptr;
  }

  void shut() {
    const std::lock_guard lock{mutex_};
    events_ = nullptr;
  }

private:
  std::mutex mutex_;
  sdk::SourceEvents* events_;
};

/// What a reader is made with.
struct ReaderInput {
  ServerPtr server;
  sdk::SourceContext context;
  std::shared_ptr<TlsClient> tls;
  std::shared_ptr<Client> client;
  std::shared_ptr<EventsGate> gate;
};

/// Everything happens on the client's loop.
class Reader : public ConnectionUser, public std::enable_shared_from_this<Reader> {
public:
  explicit Reader(ReaderInput input);
  ~Reader() override;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  sdk::EventLoop& loop() const noexcept { return loop_; }

  void connect();

  /// No more intake; `end` follows.
  void stop();

  /// Nobody listens any more.
  void close();

  /// All up to `position` has settled.
  virtual void settled(std::uint64_t position) { static_cast<void>(position); }

  /// Calls `done` when what has settled is safe, or cannot be made so.
  virtual void finish(std::function<void()> done) { done(); }

  void on_ready() final;
  void on_reply(Reply reply) final;
  void on_closed(const ConnectionEnd& end) final;

protected:
  /// The connection has come about.
  virtual void begin() = 0;

  virtual void on_answer(Reply reply) = 0;

  /// It was lost. @returns whether to go on with another one.
  virtual bool lost(const ConnectionEnd& end) {
    static_cast<void>(end);
    return true;
  }

  const sdk::SourceContext& context() const noexcept { return input_.context; }

  const ServerPtr& server() const noexcept { return input_.server; }

  Client& client() noexcept { return *input_.client; }

  const std::shared_ptr<Connection>& connection() const noexcept { return connection_; }

  bool is_over() const noexcept { return is_over_; }

  /// Sends over the own connection, which is given up where nothing comes for `patience`.
  void send(std::initializer_list<std::string_view> words, std::chrono::milliseconds patience);
  void send(const std::vector<std::string>& words, std::chrono::milliseconds patience);

  /// The server has spoken.
  void heard();

  /// Whether there is credit; else `resume` is called on the loop when there is.
  bool has_credit(std::function<void()> resume);
  void emit(sdk::Intake intake);

  /// An error reply of ours: waits and connects anew where that may help, else fails.
  void take_refusal(const Reply& reply);
  void end();
  void fail(sdk::Error error);

  /// Calls `task` on the loop after `delay`, if we are still there.
  void after(std::chrono::nanoseconds delay, std::function<void()> task);

  /// A record of `bytes` at `position`, or its failure.
  void add_record(sdk::Intake& intake, std::uint64_t position, sdk::Result<sdk::Value> value,
                  std::string_view raw, std::string_view where) const;

private:
  void sent(std::chrono::milliseconds patience);
  void watch(std::chrono::nanoseconds wait);
  void reconnect(const ConnectionEnd& end);

  ReaderInput input_;
  sdk::EventLoop& loop_;
  std::shared_ptr<Connection> connection_;
  bool was_ready_ = false;  // ever
  bool told_down_ = false;
  bool is_over_ = false;  // `end` or `fail` was said, or nobody listens
  std::uint32_t attempts_ = 0;
  sdk::Instant down_since_{};
  bool awaits_answer_ = false;
  bool is_watched_ = false;
  sdk::Instant sent_at_{};
  std::chrono::milliseconds patience_{0};
  bool awaits_credit_ = false;
  std::mt19937_64 random_;
};

}  // namespace millrace::redis
