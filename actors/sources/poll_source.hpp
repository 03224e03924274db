// PollSource: asks for the rows behind a mark, again and again, or when it is notified. The mark of
// what has settled is kept in a table, if the user names one.
#pragma once

#include "actors/db/database_handle.hpp"
#include "actors/sources/channel_listener.hpp"
#include "actors/sources/mark_table.hpp"
#include "actors/sources/turns.hpp"
#include "connectors/sdk/lane.hpp"
#include "connectors/sdk/source.hpp"
#include "connectors/sdk/sql/placeholder.hpp"
#include "dsl/program.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::actors {

class PollSource final : public sdk::Source {
public:
  PollSource(std::shared_ptr<const dsl::DatabaseReceive> receive, sdk::sql::Dialect dialect,
             DatabaseHandle database);
  ~PollSource() override;
  PollSource(const PollSource&) = delete;
  PollSource& operator=(const PollSource&) = delete;

  sdk::Status start(const sdk::SourceContext& context) override;
  void settled(const sdk::Lane& lane, std::uint64_t position) override;
  void finish(std::function<void()> done) override;
  void stop() override;

private:
  struct OpenMark {
    std::uint64_t position = 0;
    sdk::Value mark;
  };

  // All in turns.
  sdk::Status bind();
  void begin(const sdk::Result<sdk::Value>& mark);
  void listen();
  void poll();
  void ask();
  void take(sdk::Result<sdk::SqlResult> result);
  sdk::Status emit(const sdk::Value& rows);
  const sdk::Value* mark_of(const sdk::Value& row) const;
  sdk::Status check_rises(const sdk::Value& mark, bool first) const;
  sdk::Result<std::size_t> whole_groups(const std::vector<sdk::Value>& marks) const;
  void wait();
  void end();
  void fail(const sdk::Error& error);

  const std::shared_ptr<const dsl::DatabaseReceive> receive_;
  const sdk::sql::Dialect dialect_;
  const DatabaseHandle database_;
  sdk::SourceContext context_;
  std::shared_ptr<Turns> turns_;
  std::shared_ptr<ChannelListener> listener_;
  std::optional<MarkTable> marks_;
  sdk::LanePtr lane_;
  std::string sql_;
  std::vector<bool> is_mark_;  // of each parameter; else it is the limit
  sdk::Value mark_;            // of the last row that was emitted
  std::uint64_t next_position_ = 0;
  std::deque<OpenMark>
    open_;  // the last row of each mark that is not settled; where marks are kept
  sdk::TimerId timer_ = 0;
  std::uint32_t failures_ = 0;  // in a row
  bool asking_ = false;
  bool notified_ = false;  // while it was asking
  bool ended_ = false;
  bool stopping_ = false;
};

}  // namespace millrace::actors
