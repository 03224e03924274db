#include "connectors/sdk/connector.hpp"

#include "connectors/redis/channel_reader.hpp"
#include "connectors/redis/commands.hpp"
#include "connectors/redis/list_reader.hpp"
#include "connectors/redis/receive_config.hpp"
#include "connectors/redis/server.hpp"
#include "connectors/redis/source.hpp"
#include "connectors/redis/step.hpp"
#include "connectors/redis/stream_reader.hpp"

#include <array>
#include <memory>
#include <utility>

namespace millrace::redis {
namespace {

sdk::SourceFactory make_receive(sdk::ConfigReader& in) {
  auto read = std::make_shared<ReceiveConfig>();
  read_config(in, *read);
  if (!in.finish() || in.is_describing() || !read->server)
    return {};
  return [config = std::shared_ptr<const ReceiveConfig>{std::move(read)}]() -> sdk::SourcePtr {
    return std::make_unique<RedisSource>(
      config->server, [config](ReaderInput input) -> std::shared_ptr<Reader> {
        if (config->stream.empty())
          return std::make_shared<ListReader>(std::move(input), config);
        return std::make_shared<StreamReader>(std::move(input), config);
      });
  };
}

sdk::SourceFactory make_subscribe(sdk::ConfigReader& in) {
  auto read = std::make_shared<SubscribeConfig>();
  read_config(in, *read);
  if (!in.finish() || in.is_describing() || !read->server)
    return {};
  return [config = std::shared_ptr<const SubscribeConfig>{std::move(read)}]() -> sdk::SourcePtr {
    return std::make_unique<RedisSource>(
      config->server, [config](ReaderInput input) -> std::shared_ptr<Reader> {
        return std::make_shared<ChannelReader>(std::move(input), config);
      });
  };
}

template <Verb verb>
sdk::StepFactory make_step(sdk::ConfigReader& in) {
  auto read = std::make_shared<CommandConfig>();
  read_config(in, verb, *read);
  if (!in.finish() || in.is_describing() || !read->server)
    return {};
  return [config = std::shared_ptr<const CommandConfig>{std::move(read)}] {
    return std::make_unique<RedisStep>(config);
  };
}

constexpr std::string_view once_more = "a record is done when the server has answered; one that is "
                                       "delivered again is sent again";

template <Verb verb>
constexpr sdk::Operation step(std::string_view name, std::string_view doc, sdk::Effects effects) {
  return {.name = name,
          .doc = doc,
          .step = &make_step<verb>,
          .has_output = true,
          .effects = effects,
          .guarantee = effects == sdk::Effects::external ? once_more : std::string_view{}};
}

constexpr std::array operations{
  sdk::Operation{.name = "receive",
                 .doc = "Reads a stream as a consumer of a group, or takes from a list",
                 .source = &make_receive,
                 .rereads = true,
                 .guarantee = "what has not settled stays on the server, and comes again after a "
                              "crash"},
  sdk::Operation{.name = "subscribe",
                 .doc = "Hears channels",
                 .source = &make_subscribe,
                 .guarantee = "the server keeps nothing: what is said while we are away is lost"},
  step<Verb::get>("get", "Gets the value of a key", sdk::Effects::none),
  step<Verb::set>("set", "Sets a key", sdk::Effects::repeatable),
  step<Verb::del>("del", "Deletes keys", sdk::Effects::repeatable),
  step<Verb::incr>("incr", "Adds to the number of a key", sdk::Effects::external),
  step<Verb::expire>("expire", "Gives a key a time to live", sdk::Effects::repeatable),
  step<Verb::publish>("publish", "Says something on a channel", sdk::Effects::external),
  step<Verb::lpush>("lpush", "Adds to the head of a list", sdk::Effects::external),
  step<Verb::rpush>("rpush", "Adds to the tail of a list", sdk::Effects::external),
  step<Verb::lpop>("lpop", "Takes the head of a list", sdk::Effects::external),
  step<Verb::rpop>("rpop", "Takes the tail of a list", sdk::Effects::external),
  step<Verb::xadd>("xadd", "Adds an entry to a stream", sdk::Effects::external),
  step<Verb::command>("command", "Sends any command", sdk::Effects::external),
};

constexpr std::array schemes{sdk::SchemeType::user_password};

}  // namespace

extern const sdk::Connector connector;
constinit const sdk::Connector connector{.name = "redis",
                                         .doc = "Keys, lists, streams and channels of Redis",
                                         .operations = operations,
                                         .server = &read_server,
                                         .schemes = schemes};

}  // namespace millrace::redis
