#include "connectors/redis/channel_reader.hpp"

#include <utility>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds ping_every{10};
constexpr std::size_t most_gathered = 256;

}  // namespace

ChannelReader::ChannelReader(ReaderInput input, std::shared_ptr<const SubscribeConfig> config)
  : Reader{std::move(input)},
    config_{std::move(config)},
    lane_{std::make_shared<sdk::Lane>(config_->channels.empty() ? config_->patterns.front()
                                                                : config_->channels.front())},
    gathered_{.lane = lane_} {
}

void ChannelReader::begin() {
  const auto say = [this](const char* verb, const std::vector<std::string>& names) {
    if (names.empty())
      return;
    std::vector<std::string> words{verb};
    words.insert(words.end(), names.begin(), names.end());
    send(words, server()->timeout);
  };
  say("SUBSCRIBE", config_->channels);
  say("PSUBSCRIBE", config_->patterns);
  if (!std::exchange(asks_for_life_, true))
    ask_for_life();
}

// A line that is dead and one on which nobody speaks sound the same.
void ChannelReader::ask_for_life() {
  after(ping_every, [this] {
    if (connection() && connection()->is_ready() && !is_full_ && !is_over())
      send({"PING"}, server()->timeout);
    ask_for_life();
  });
}

// Of RESP2, where messages are arrays; an error; the answer to PING.
void ChannelReader::on_answer(Reply reply) {
  if (reply.is(Reply::Kind::error))
    return take_refusal(reply);
  take(reply);
}

void ChannelReader::on_push(Reply push) {
  heard();
  if (!is_over())
    take(push);
}

// [message, channel, bytes], [pmessage, pattern, channel, bytes], [subscribe, …]
void ChannelReader::take(const Reply& message) {
  constexpr std::size_t plain_size = 3;
  constexpr std::size_t pattern_size = 4;
  if (message.items.size() < plain_size)
    return;
  const bool is_pattern = message.items[0].text == "pmessage"
                          && message.items.size() == pattern_size;
  if (!is_pattern && message.items[0].text != "message")
    return;
  const auto& channel = message.items[is_pattern ? 2 : 1].text;
  const auto& bytes = message.items.back().text;
  add_record(gathered_, next_position_++, decode(config_->payload, bytes), bytes,
             "a message of " + std::string{raw_text(channel).as_string()});
  if (context().meta) {
    auto meta = sdk::Value::object({{"channel", raw_text(channel)}});
    if (is_pattern)
      meta.set("pattern", raw_text(message.items[1].text));
    gathered_.records.back().set(*context().meta, std::move(meta));
  }
  if (gathered_.records.size() >= most_gathered)
    flush();
  else if (!std::exchange(flushes_, true))
    after(0ns, [this] { flush(); });
}

// Where there is no room, nothing more is read until there is; a server that runs out of patience
// with us ends the connection.
void ChannelReader::flush() {
  flushes_ = false;
  if (is_over())
    return;
  emit(std::exchange(gathered_, sdk::Intake{.lane = lane_}));
  make_room();
}

void ChannelReader::make_room() {
  const bool has = has_credit([this] { make_room(); });
  is_full_ = !has;
  if (connection())
    connection()->pause(!has);
}

}  // namespace millrace::redis
