#include "connectors/redis/commands.hpp"

#include "connectors/sdk/ascii.hpp"
#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

// One connection is everybody's: what changes its state or holds it up is refused.
constexpr std::array<std::string_view, 30> refused_commands{
  "AUTH",      "HELLO",      "SELECT",     "RESET",       "QUIT",         "CLIENT",
  "MULTI",     "EXEC",       "DISCARD",    "WATCH",       "UNWATCH",      "MONITOR",
  "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE",
  "BLPOP",     "BRPOP",      "BLMOVE",     "BLMPOP",      "BRPOPLPUSH",   "BZPOPMIN",
  "BZPOPMAX",  "BZMPOP",     "WAIT",       "SYNC",        "PSYNC",        "SHUTDOWN"};

// [HSET, $.in.id, …]: the first is a name, and the same for every record.
void read_words(sdk::ConfigReader& in, CommandConfig& out) {
  in.required("command", out.words,
              "The command and its arguments, a list: [HSET, $.in.id, name, $.in.name]");
  if (in.is_describing() || !out.words)
    return;
  const auto& node = *in.node().find("command");
  if (!node.is_sequence() || node.items.empty()) {
    in.error("command", "'command' must be a list, not " + node.describe(),
             "for example [HGET, $.in.id, name]");
    return;
  }
  const auto& name = node.items.front();
  if (!name.is_scalar() || name.secret || name.text.empty() || name.text.starts_with('$')) {
    in.error_at(name.place, "a command begins with its name, as text");
    return;
  }
  const auto known = sdk::upper(name.text);
  if (std::ranges::find(refused_commands, known) != refused_commands.end())
    in.error_at(name.place,
                "'" + known
                  + "' cannot be sent: it would change or hold up the connection that all steps "
                    "share",
                known.starts_with('B') ? "'receive' waits for what comes into a list" : "");
}

void read_ttl(sdk::ConfigReader& in, CommandConfig& out, bool required) {
  if (required)
    in.required("ttl", out.ttl, "How long the key lives from now on");
  else
    in.optional("ttl", out.ttl, "How long the key lives; 0ms: for good");
  in.check(in.is_describing() || out.ttl >= (required ? 1ms : 0ms), "ttl",
           required ? "1ms or longer" : "0ms or longer");
}

sdk::Result<std::string> word_of(const sdk::ExpressionPtr& expression, const sdk::Scope& scope,
                                 std::string_view what) {
  auto value = expression->evaluate(scope);
  if (!value)
    return std::move(value).error();
  return encode_word(*value, what);
}

// A list of keys, or one.
sdk::Status add_keys(const sdk::ExpressionPtr& expression, const sdk::Scope& scope,
                     std::vector<std::string>& words) {
  auto value = expression->evaluate(scope);
  if (!value)
    return std::move(value).error();
  const sdk::Value single = sdk::Value::array({*value});
  for (const auto& one : (value->is_array() ? *value : single).items()) {
    auto key = encode_word(one, "key");
    if (!key)
      return std::move(key).error();
    words.push_back(std::move(*key));
  }
  if (words.size() == 1)
    return unfit("'key' gives an empty list for this record");
  return {};
}

sdk::Status add_increment(const CommandConfig& config, const sdk::Scope& scope,
                          std::vector<std::string>& words) {
  if (!config.by) {
    words.emplace_back("1");
    return {};
  }
  auto by = config.by->evaluate(scope);
  if (!by)
    return std::move(by).error();
  if (!by->is_number())
    return unfit("'by' gives no number for this record");
  if (!by->is_integer())
    words.front() = "INCRBYFLOAT";
  words.push_back(sdk::to_json(*by));
  return {};
}

sdk::Status add_fields(const CommandConfig& config, const sdk::Scope& scope, const sdk::Value& last,
                       std::vector<std::string>& words) {
  const auto add = [&](std::string_view name, const sdk::Value& value) -> sdk::Status {
    words.emplace_back(name);
    auto bytes = encode(config.payload, value, "field");
    if (!bytes)
      return std::move(bytes).error();
    words.push_back(std::move(*bytes));
    return {};
  };
  for (const auto& [name, expression] : config.fields) {
    auto value = expression->evaluate(scope);
    if (!value)
      return std::move(value).error();
    if (auto done = add(name, *value); !done)
      return done;
  }
  if (!config.fields.empty())
    return {};
  if (!last.is_object() || last.members().empty())
    return unfit("the last output is no object with members", "say 'fields'");
  for (const auto& member : last.members()) {
    if (auto done = add(member.name.as_string(), member.value); !done)
      return done;
  }
  return {};
}

sdk::Result<sdk::Value> value_of(const CommandConfig& config, const sdk::Scope& scope,
                                 sdk::Slot input) {
  if (config.value)
    return config.value->evaluate(scope);
  return scope.record->get(input);
}

std::string_view name_of(Verb verb) {
  switch (verb) {
  case Verb::get:
    return "GET";
  case Verb::set:
    return "SET";
  case Verb::del:
    return "DEL";
  case Verb::incr:
    return "INCRBY";
  case Verb::expire:
    return "PEXPIRE";
  case Verb::publish:
    return "PUBLISH";
  case Verb::lpush:
    return "LPUSH";
  case Verb::rpush:
    return "RPUSH";
  case Verb::lpop:
    return "LPOP";
  case Verb::rpop:
    return "RPOP";
  case Verb::xadd:
    return "XADD";
  default:
    return {};
  }
}

sdk::Status add_set_flags(const CommandConfig& config, std::vector<std::string>& words) {
  if (config.ttl > 0ms)
    words.insert(words.end(), {"PX", std::to_string(config.ttl.count())});
  if (config.keep_ttl)
    words.emplace_back("KEEPTTL");
  if (config.only != Only::always)
    words.emplace_back(config.only == Only::absent ? "NX" : "XX");
  return {};
}

sdk::Status add_xadd(const CommandConfig& config, const sdk::Scope& scope, sdk::Slot input,
                     std::vector<std::string>& words) {
  if (config.max_length > 0)
    words.insert(words.end(), {"MAXLEN", "~", std::to_string(config.max_length)});
  if (!config.id) {
    words.emplace_back("*");
  } else {
    auto id = word_of(config.id, scope, "id");
    if (!id)
      return std::move(id).error();
    words.push_back(std::move(*id));
  }
  return add_fields(config, scope, scope.record->get(input), words);
}

sdk::Status add_arguments(const CommandConfig& config, const sdk::Scope& scope, sdk::Slot input,
                          std::vector<std::string>& words) {
  if (config.verb == Verb::command) {
    auto all = config.words->evaluate(scope);
    if (!all)
      return std::move(all).error();
    if (!all->is_array() || all->items().empty())
      return unfit("'command' gives no list for this record");
    for (const auto& one : all->items()) {
      auto word = encode_word(one, "argument");
      if (!word)
        return std::move(word).error();
      words.push_back(std::move(*word));
    }
    return {};
  }
  words.emplace_back(name_of(config.verb));
  if (config.verb == Verb::del)
    return add_keys(config.key, scope, words);
  auto key = word_of(config.key, scope, config.verb == Verb::publish ? "channel" : "key");
  if (!key)
    return std::move(key).error();
  words.push_back(std::move(*key));
  switch (config.verb) {
  case Verb::set:
  case Verb::publish:
  case Verb::lpush:
  case Verb::rpush: {
    auto value = value_of(config, scope, input);
    if (!value)
      return std::move(value).error();
    auto bytes = encode(config.payload, *value, "value");
    if (!bytes)
      return std::move(bytes).error();
    words.push_back(std::move(*bytes));
    return config.verb == Verb::set ? add_set_flags(config, words) : sdk::Status{};
  }
  case Verb::incr:
    return add_increment(config, scope, words);
  case Verb::expire:
    words.push_back(std::to_string(config.ttl.count()));
    return {};
  case Verb::xadd:
    return add_xadd(config, scope, input, words);
  default:
    return {};
  }
}

// What may be said twice: the second time changes nothing more. (The count that `del` gives may
// then be of the second time.)
bool is_repeatable(const CommandConfig& config) {
  switch (config.verb) {
  case Verb::get:
  case Verb::del:
  case Verb::expire:
    return true;
  case Verb::set:
    return config.only != Only::absent;
  case Verb::command:
    return config.is_repeatable;
  default:
    return false;
  }
}

}  // namespace

void read_config(sdk::ConfigReader& in, Verb verb, CommandConfig& out) {
  out.verb = verb;
  out.server = in.server<RedisServer>("redis", "A server of protocol redis; default: the only one");
  switch (verb) {
  case Verb::command:
    read_words(in, out);
    in.optional("repeatable", out.is_repeatable,
                "Saying it twice does what saying it once does, so that it is said again where its "
                "answer was lost");
    break;
  case Verb::publish:
    in.required("channel|key", out.key, "Channel to publish to");
    break;
  case Verb::xadd:
    in.required("key|stream", out.key, "Stream to add to");
    break;
  case Verb::del:
    in.required("key", out.key, "Key, or a list of keys");
    break;
  default:
    in.required("key", out.key, "Key");
  }
  switch (verb) {
  case Verb::set:
    in.optional("value", out.value, "What to keep there; default: the last output");
    read_ttl(in, out, false);
    in.optional("keepTtl|keep_ttl", out.keep_ttl, "The time to live that the key has stays");
    in.check(!out.keep_ttl || out.ttl == 0ms, "keepTtl", "left out where 'ttl' is given");
    in.choice<Only>(
      "only", out.only,
      {{"always", Only::always}, {"absent", Only::absent}, {"present", Only::present}},
      "Whether the key must be absent, or there, for it to be set");
    break;
  case Verb::incr:
    in.optional("by", out.by, "How much is added; default: 1");
    break;
  case Verb::expire:
    read_ttl(in, out, true);
    break;
  case Verb::publish:
  case Verb::lpush:
  case Verb::rpush:
    in.optional("value", out.value, "What to send; default: the last output");
    break;
  case Verb::xadd:
    in.expressions("fields", out.fields,
                   "Fields of the entry, by name; default: the members of the last output");
    in.optional("id", out.id, "Its id; default: the server makes it");
    in.optional("maxLength|max_length", out.max_length,
                "About how many entries the stream keeps; default: all");
    break;
  default:
    break;
  }
  const bool has_payload = verb != Verb::del && verb != Verb::incr && verb != Verb::expire;
  if (verb == Verb::xadd || verb == Verb::command)
    out.payload = Payload::text;
  if (has_payload)
    read_payload(in, out.payload,
                 "What the bytes are: JSON, UTF-8 text, or any, for which base64 text stands");
}

sdk::Result<Command> make_command(const CommandConfig& config, const sdk::Record& record,
                                  sdk::Slot input) {
  const sdk::Scope scope{.record = &record};
  std::vector<std::string> words;
  if (auto done = add_arguments(config, scope, input, words); !done)
    return std::move(done).error();
  Command command{.is_repeatable = is_repeatable(config)};
  append_command(command.bytes, words);
  return command;
}

sdk::Result<sdk::Value> read_answer(const CommandConfig& config, const Reply& reply) {
  switch (config.verb) {
  case Verb::set:
    return sdk::Value{reply.is(Reply::Kind::status)};
  case Verb::expire:
    return sdk::Value{reply.integer != 0};
  case Verb::incr:
    // INCRBYFLOAT answers text.
    return to_value(reply.is(Reply::Kind::text) ? Payload::json : config.payload, reply);
  case Verb::xadd:
    return raw_text(reply.text);
  default:
    return to_value(config.payload, reply);
  }
}

}  // namespace millrace::redis
