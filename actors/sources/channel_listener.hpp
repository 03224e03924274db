// ChannelListener: listens on channels with a connection of its own, and goes on with another one
// when it is lost.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/sources/turns.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/notification.hpp"
#include "connectors/sdk/source.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

class ChannelListener final : public sdk::NotificationListener,
                              public std::enable_shared_from_this<ChannelListener> {
public:
  /// Called in the turns of the owner.
  struct Heard {
    std::function<void(std::vector<sdk::Notification>)> notifications;
    std::function<void(bool again)> listening;  // `again`: something may have been missed
    std::function<void(sdk::Error)> refused;    // listening will never work
  };

  /// @param gate while it has no credit nothing is read; null: all is taken.
  ChannelListener(std::vector<std::string> channels, DatabaseHandle database,
                  std::shared_ptr<Turns> turns, Heard heard, sdk::Log& log,
                  sdk::SourceEvents* gate);

  /// In a turn.
  void start();

  /// In a turn: stops, and gives the connection back.
  void end();

  /// From any thread; nothing is heard afterwards, and `gate` is not used any more.
  void stop();

  // NotificationListener
  void notified(sdk::Notification notification) override;
  void lost(const sdk::Error& error) override;
  bool ready() const override;
  void when_ready(std::function<void()> resume) override;

private:
  void listen(std::size_t channel);
  void again(const sdk::Error& error);

  const std::vector<std::string> channels_;
  const DatabaseHandle database_;
  const std::shared_ptr<Turns> turns_;
  const Heard heard_;
  sdk::Log& log_;

  // In turns.
  std::optional<SessionHandle> session_;
  std::uint32_t failures_ = 0;  // in a row
  bool was_listening_ = false;
  bool retrying_ = false;

  mutable std::mutex mutex_;  // of what follows
  sdk::SourceEvents* gate_;
  bool stopped_ = false;
  std::function<void()> resume_;
  std::vector<sdk::Notification> heard_now_;
};

}  // namespace millrace::actors
