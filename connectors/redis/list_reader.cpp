#include "connectors/redis/list_reader.hpp"

#include "connectors/redis/ask.hpp"
#include "connectors/redis/consumer_name.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds block{5'000};
constexpr std::chrono::milliseconds again_after{500};

// KEYS: list, processing, mark. ARGV: epoch, how many we have heard of, how many at most.
// First what was moved and whose news was lost, whatever has been removed meanwhile; else as many
// as there are. May be said again, and refuses a reader that another one has followed.
constexpr std::string_view take_script =
  "if redis.call('HGET', KEYS[3], 'epoch') ~= ARGV[1] then "
  "return redis.error_reply('SUPERSEDED another reader goes by the same consumer name') "
  "end "
  "local first = tonumber(ARGV[2]) - tonumber(redis.call('HGET', KEYS[3], 'done')) "
  "local most = tonumber(ARGV[3]) "
  "if redis.call('LLEN', KEYS[2]) > first then "
  "return redis.call('LRANGE', KEYS[2], first, first + most - 1) "
  "end "
  "local all = {} "
  "for i = 1, most do "
  "local one = redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', 'RIGHT') "
  "if not one then break end "
  "all[i] = one "
  "end "
  "return all";

// KEYS: processing, mark. ARGV: epoch, how many have settled. May be said again: it removes what
// it has not removed yet.
constexpr std::string_view remove_script =
  "if redis.call('HGET', KEYS[2], 'epoch') ~= ARGV[1] then return 0 end "
  "local done = tonumber(redis.call('HGET', KEYS[2], 'done')) "
  "local more = tonumber(ARGV[2]) - done "
  "if more > 0 then "
  "redis.call('LTRIM', KEYS[1], more, -1) "
  "redis.call('HSET', KEYS[2], 'done', ARGV[2]) "
  "end "
  "return 1";

}  // namespace

ListReader::ListReader(ReaderInput input, std::shared_ptr<const ReceiveConfig> config)
  : Reader{std::move(input)},
    config_{std::move(config)},
    consumer_{consumer_name(config_->consumer)},
    processing_{config_->processing.empty() ? config_->list + ":processing:" + consumer_
                                            : config_->processing},
    mark_{processing_ + ":mark"},
    epoch_{std::to_string(std::random_device{}()) + "-" + std::to_string(std::random_device{}())},
    lane_{std::make_shared<sdk::Lane>(
      config_->list, sdk::Value::object({{"list", config_->list}, {"consumer", consumer_}}))},
    count_{config_->count} {
}

void ListReader::begin() {
  if (std::exchange(has_begun_, true)) {
    state_ = State::taking;
    return go_on();
  }
  state_ = State::beginning;
  send({"HSET", mark_, "epoch", epoch_, "done", "0"}, server()->timeout);
}

bool ListReader::lost(const ConnectionEnd& end) {
  if (state_ == State::beginning)
    has_begun_ = false;
  if (!end.too_large)
    return true;
  if (count_ > 1) {
    count_ /= 2;
    return true;
  }
  fail(end.error);
  return false;
}

void ListReader::go_on() {
  if (is_over() || !connection() || !has_credit([this] { go_on(); }))
    return;
  const auto most = std::to_string(count_);
  switch (state_) {
  case State::beginning:
    return;
  case State::taking:
    return send({"EVAL", take_script, "3", config_->list, processing_, mark_, epoch_,
                 std::to_string(moved_), most},
                server()->timeout);
  case State::waiting:
    // Puts the head back where it was: only the wait is wanted. What a connection that is lost
    // still does moves nothing.
    return send({"BLMOVE", config_->list, config_->list, "LEFT", "LEFT",
                 std::to_string(block.count() / 1000)},
                block + server()->timeout);
  }
}

void ListReader::on_answer(Reply reply) {
  if (reply.is(Reply::Kind::error)) {
    if (state_ == State::beginning)
      has_begun_ = false;
    return take_refusal(reply);
  }
  switch (state_) {
  case State::beginning:
  case State::waiting:
    state_ = State::taking;
    break;
  case State::taking:
    if (reply.items.empty() && context().once)
      return end();
    if (reply.items.empty())
      state_ = State::waiting;
    take(reply);
    break;
  }
  go_on();
}

void ListReader::take(const Reply& elements) {
  sdk::Intake intake{.lane = lane_};
  for (const auto& element : elements.items)
    add_element(intake, element.text);
  emit(std::move(intake));
}

void ListReader::add_element(sdk::Intake& intake, const std::string& element) {
  add_record(intake, moved_++, decode(config_->payload, element), element,
             "an element of " + config_->list);
  if (context().meta)
    intake.records.back().set(*context().meta, lane_->meta());
}

// --- settlement

void ListReader::settled(std::uint64_t position) {
  settled_ = std::max(settled_, position + 1);
  remove_settled();
}

void ListReader::remove_settled() {
  if (asking_ || removed_ == settled_)
    return;
  asking_ = true;
  std::string command;
  append_command(
    command, {"EVAL", remove_script, "2", processing_, mark_, epoch_, std::to_string(settled_)});
  ask(client(), std::move(command),
      [weak = weak_from_this(), upto = settled_](const sdk::Result<Reply>& answer) {
        const auto self = std::static_pointer_cast<ListReader>(weak.lock());
        if (!self)
          return;
        self->asking_ = false;
        if (answer) {
          self->removed_ = upto;
          self->remove_settled();
        } else if (!self->is_finishing_) {
          self->after(again_after, [self = self.get()] { self->remove_settled(); });
        }
        // What could not be removed comes again: nobody waits for it for ever.
        if (self->is_finishing_ && !self->asking_) {
          for (auto& done : std::exchange(self->finished_, {}))
            done();
        }
      });
}

void ListReader::finish(std::function<void()> done) {
  is_finishing_ = true;
  remove_settled();
  if (!asking_)
    return done();
  finished_.push_back(std::move(done));
}

}  // namespace millrace::redis
