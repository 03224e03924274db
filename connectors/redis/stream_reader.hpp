// StreamReader: a consumer of a stream's group. What it was given and has not settled comes again
// after a crash; what another consumer has held for too long is taken over; an entry is
// acknowledged when its record, and all before it, have settled.
#pragma once

#include "connectors/redis/reader.hpp"
#include "connectors/redis/receive_config.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace millrace::redis {

class StreamReader final : public Reader {
public:
  StreamReader(ReaderInput input, std::shared_ptr<const ReceiveConfig> config);

  void settled(std::uint64_t position) override;
  void finish(std::function<void()> done) override;

private:
  enum class State : std::uint8_t {
    making_group,
    history,   // what was given to us before
    claiming,  // what others do not come back for
    fresh,
  };

  struct Open {
    std::uint64_t position;
    std::string id;
  };

  void begin() override;
  void on_answer(Reply reply) override;
  bool lost(const ConnectionEnd& end) override;
  void go_on();
  void take_history(const Reply& reply);
  void take_claimed(const Reply& reply);
  void take_fresh(const Reply& reply);
  void take_entries(const Reply& entries);
  void add_entry(sdk::Intake& intake, const Reply& entry);
  sdk::Result<sdk::Value> read_fields(const Reply& fields) const;
  std::vector<std::string> read_command(std::string_view from) const;
  void acknowledge();
  void acknowledged(std::vector<std::string> ids, bool ok);
  void keep_claims();
  const Reply* entries_of(const Reply& reply) const;

  std::shared_ptr<const ReceiveConfig> config_;
  std::string group_;
  std::string consumer_;
  sdk::LanePtr lane_;
  State state_ = State::making_group;
  std::string cursor_;
  std::size_t count_;
  bool keeps_claims_ = false;
  sdk::Instant claim_due_{};
  std::optional<sdk::Instant> history_due_;  // once more
  std::uint64_t next_position_ = 0;
  std::deque<Open> open_;                  // emitted, by position
  std::unordered_set<std::string> known_;  // open, or not yet acknowledged
  std::vector<std::string> done_;          // settled, to be acknowledged
  std::size_t asking_ = 0;                 // acknowledgements under way
  bool is_finishing_ = false;
  std::vector<std::function<void()>> finished_;
};

}  // namespace millrace::redis
