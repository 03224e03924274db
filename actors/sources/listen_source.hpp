// ListenSource: notifications as records, each as it comes in: {channel, payload, pid}. What is
// notified while the connection is down is gone.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/sources/channel_listener.hpp"
#include "actors/sources/turns.hpp"
#include "connectors/sdk/lane.hpp"
#include "connectors/sdk/source.hpp"
#include "dsl/program.hpp"

#include <memory>
#include <vector>

namespace millrace::actors {

class ListenSource final : public sdk::Source {
public:
  ListenSource(std::shared_ptr<const dsl::DatabaseReceive> receive, DatabaseHandle database);
  ~ListenSource() override;
  ListenSource(const ListenSource&) = delete;
  ListenSource& operator=(const ListenSource&) = delete;

  sdk::Status start(const sdk::SourceContext& context) override;
  void stop() override;

private:
  void emit(const std::vector<sdk::Notification>& notifications);
  void tell_listening(bool again);
  sdk::Record& add(sdk::Intake& intake, sdk::Value payload);
  void end();

  const std::shared_ptr<const dsl::DatabaseReceive> receive_;
  const DatabaseHandle database_;
  sdk::SourceContext context_;
  std::shared_ptr<Turns> turns_;
  std::shared_ptr<ChannelListener> listener_;
  sdk::LanePtr lane_;
  std::uint64_t next_position_ = 0;
  bool ended_ = false;
};

}  // namespace millrace::actors
