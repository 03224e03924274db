// ChannelReader: hears channels. Nothing is kept for who is away: what is said while the connection
// is lost is lost too.
#pragma once

#include "connectors/redis/reader.hpp"
#include "connectors/redis/receive_config.hpp"

#include <memory>
#include <string>

namespace millrace::redis {

class ChannelReader final : public Reader {
public:
  ChannelReader(ReaderInput input, std::shared_ptr<const SubscribeConfig> config);

private:
  void begin() override;
  void on_answer(Reply reply) override;
  void on_push(Reply push) override;
  void take(const Reply& message);
  void flush();
  void make_room();
  void ask_for_life();

  std::shared_ptr<const SubscribeConfig> config_;
  sdk::LanePtr lane_;
  sdk::Intake gathered_;
  bool flushes_ = false;  // soon
  bool asks_for_life_ = false;
  bool is_full_ = false;
  std::uint64_t next_position_ = 0;
};

}  // namespace millrace::redis
