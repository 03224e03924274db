// ListReader: takes from the head of a list. What is under way stands in a second list, and leaves
// it when it has settled; what a crash left there comes first.
#pragma once

#include "connectors/redis/reader.hpp"
#include "connectors/redis/receive_config.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace millrace::redis {

class ListReader final : public Reader {
public:
  ListReader(ReaderInput input, std::shared_ptr<const ReceiveConfig> config);

  void settled(std::uint64_t position) override;
  void finish(std::function<void()> done) override;

private:
  enum class State : std::uint8_t {
    beginning,
    taking,
    waiting,  // for more
  };

  void begin() override;
  void on_answer(Reply reply) override;
  bool lost(const ConnectionEnd& end) override;
  void go_on();
  void take(const Reply& elements);
  void add_element(sdk::Intake& intake, const std::string& element);
  void remove_settled();

  std::shared_ptr<const ReceiveConfig> config_;
  std::string consumer_;
  std::string processing_;
  std::string mark_;   // key of how many have left `processing_`
  std::string epoch_;  // of this reader: what an older one still says does not count
  sdk::LanePtr lane_;
  State state_ = State::beginning;
  bool has_begun_ = false;
  std::size_t count_;
  std::uint64_t moved_ = 0;    // elements of `processing_` since this reader began, settled or not
  std::uint64_t settled_ = 0;  // of those
  std::uint64_t removed_ = 0;  // of those
  bool asking_ = false;
  bool is_finishing_ = false;
  std::vector<std::function<void()>> finished_;
};

}  // namespace millrace::redis
