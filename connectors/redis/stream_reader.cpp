#include "connectors/redis/stream_reader.hpp"

#include "connectors/redis/ask.hpp"
#include "connectors/redis/consumer_name.hpp"
#include "connectors/redis/errors.hpp"

#include <algorithm>
#include <utility>

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;

// How long a read waits for what comes; a stop need not wait for it.
constexpr std::chrono::milliseconds block{5'000};
constexpr std::chrono::milliseconds again_after{500};
// Ids of one command.
constexpr std::size_t most_ids = 512;

sdk::Value lane_meta(const std::string& stream, const std::string& group,
                     const std::string& consumer) {
  return sdk::Value::object({{"stream", stream}, {"group", group}, {"consumer", consumer}});
}

}  // namespace

StreamReader::StreamReader(ReaderInput input, std::shared_ptr<const ReceiveConfig> config)
  : Reader{std::move(input)},
    config_{std::move(config)},
    group_{config_->group.empty() ? context().pipeline : config_->group},
    consumer_{consumer_name(config_->consumer)},
    lane_{
      std::make_shared<sdk::Lane>(config_->stream, lane_meta(config_->stream, group_, consumer_))},
    count_{config_->count} {
}

void StreamReader::begin() {
  if (!std::exchange(keeps_claims_, true))
    keep_claims();
  history_due_ = context().clock->now() + block + block;
  state_ = State::making_group;
  send({"XGROUP", "CREATE", config_->stream, group_, config_->start, "MKSTREAM"},
       server()->timeout);
}

bool StreamReader::lost(const ConnectionEnd& end) {
  // So many entries at once are too much.
  if (!end.too_large)
    return true;
  if (count_ > 1) {
    count_ /= 2;
    return true;
  }
  fail(end.error);
  return false;
}

std::vector<std::string> StreamReader::read_command(std::string_view from) const {
  std::vector<std::string> words{"XREADGROUP", "GROUP", group_,
                                 consumer_,    "COUNT", std::to_string(count_)};
  if (from == ">" && !context().once)
    words.insert(words.end(), {"BLOCK", std::to_string(block.count())});
  words.insert(words.end(), {"STREAMS", config_->stream, std::string{from}});
  return words;
}

void StreamReader::go_on() {
  if (is_over() || !connection() || !has_credit([this] { go_on(); }))
    return;
  // A read of ours that a lost connection left behind may have been given entries after we looked.
  if (state_ == State::fresh && history_due_ && context().clock->now() >= *history_due_) {
    history_due_.reset();
    state_ = State::history;
    cursor_ = "0-0";
  }
  const bool claims = config_->claim_after > 0ms;
  if (state_ == State::fresh && claims && context().clock->now() >= claim_due_) {
    state_ = State::claiming;
    cursor_ = "0-0";
  }
  switch (state_) {
  case State::history:
    return send(read_command(cursor_), server()->timeout);
  case State::claiming:
    return send({"XAUTOCLAIM", config_->stream, group_, consumer_,
                 std::to_string(config_->claim_after.count()), cursor_, "COUNT",
                 std::to_string(count_)},
                server()->timeout);
  default:
    return send(read_command(">"), block + server()->timeout);
  }
}

void StreamReader::on_answer(Reply reply) {
  if (reply.is(Reply::Kind::error)) {
    const auto code = code_of(reply.text);
    const bool is_there = state_ == State::making_group && code == "BUSYGROUP";
    // Somebody removed the stream, or the group.
    if (!is_there && (code == "NOGROUP" || code == "UNBLOCKED"))
      return begin();
    if (!is_there)
      return take_refusal(reply);
  }
  switch (state_) {
  case State::making_group:
    state_ = State::history;
    cursor_ = "0-0";
    break;
  case State::history:
    take_history(reply);
    break;
  case State::claiming:
    take_claimed(reply);
    break;
  case State::fresh:
    take_fresh(reply);
    break;
  }
  go_on();
}

// {stream: [entry…]} of RESP3, [[stream, [entry…]]] of RESP2; null where there is nothing.
const Reply* StreamReader::entries_of(const Reply& reply) const {
  if (reply.is(Reply::Kind::map))
    return reply.items.size() >= 2 ? &reply.items[1] : nullptr;
  if (reply.items.empty() || reply.items.front().items.size() < 2)
    return nullptr;
  return &reply.items.front().items[1];
}

void StreamReader::take_history(const Reply& reply) {
  const auto* entries = entries_of(reply);
  if (!entries || entries->items.empty()) {
    state_ = State::fresh;
    return;
  }
  const auto& last = entries->items.back();
  if (!last.items.empty())
    cursor_ = last.items.front().text;
  take_entries(*entries);
}

// [next cursor, entries, ids of deleted ones]
void StreamReader::take_claimed(const Reply& reply) {
  if (reply.items.size() >= 2) {
    cursor_ = reply.items[0].text;
    take_entries(reply.items[1]);
  }
  if (reply.items.size() < 2 || cursor_ == "0-0") {
    state_ = State::fresh;
    claim_due_ = context().clock->now() + config_->claim_after;
  }
}

void StreamReader::take_fresh(const Reply& reply) {
  if (const auto* entries = entries_of(reply); entries && !entries->items.empty())
    take_entries(*entries);
  else if (context().once)
    end();
}

void StreamReader::take_entries(const Reply& entries) {
  sdk::Intake intake{.lane = lane_};
  for (const auto& entry : entries.items)
    add_entry(intake, entry);
  emit(std::move(intake));
  acknowledge();
}

// [id, [name, value, …]]; the fields of an entry that was deleted meanwhile are null.
void StreamReader::add_entry(sdk::Intake& intake, const Reply& entry) {
  if (entry.items.size() < 2)
    return;
  const auto& id = entry.items[0].text;
  const auto& fields = entry.items[1];
  if (!known_.insert(id).second)
    return;
  if (fields.items.empty()) {
    done_.push_back(id);
    return;
  }
  const auto position = next_position_++;
  open_.push_back({position, id});
  auto value = read_fields(fields);
  std::string raw;
  std::size_t size = 0;
  for (const auto& item : fields.items)
    size += item.text.size();
  if (!value) {
    const auto* field = config_->field.empty() ? nullptr : fields.find(config_->field);
    for (std::size_t i = 0; !field && i + 1 < fields.items.size(); i += 2)
      raw += fields.items[i].text + "=" + fields.items[i + 1].text + "\n";
    if (field)
      raw = field->text;
  }
  add_record(intake, position, std::move(value), raw, config_->stream + " entry " + id);
  intake.bytes += size - std::min(size, raw.size());
  if (context().meta)
    intake.records.back().set(
      *context().meta,
      sdk::Value::object(
        {{"stream", config_->stream}, {"id", id}, {"group", group_}, {"consumer", consumer_}}));
}

sdk::Result<sdk::Value> StreamReader::read_fields(const Reply& fields) const {
  if (!config_->field.empty()) {
    const auto* field = fields.find(config_->field);
    if (!field)
      return unfit("the entry has no field '" + config_->field + "'");
    return decode(config_->payload, field->text);
  }
  auto object = sdk::Value::object();
  for (std::size_t i = 0; i + 1 < fields.items.size(); i += 2) {
    auto value = decode(config_->payload, fields.items[i + 1].text);
    if (!value)
      return value;
    const auto name = raw_text(fields.items[i].text);
    object.set(name.as_string(), std::move(*value));
  }
  return object;
}

// --- settlement

void StreamReader::settled(std::uint64_t position) {
  while (!open_.empty() && open_.front().position <= position) {
    done_.push_back(std::move(open_.front().id));
    open_.pop_front();
  }
  acknowledge();
}

// One command at a time: what settles meanwhile goes with the next.
void StreamReader::acknowledge() {
  if (asking_ > 0 || done_.empty())
    return;
  const auto count = std::min(done_.size(), most_ids);
  std::vector<std::string> ids{
    std::make_move_iterator(done_.begin()),
    std::make_move_iterator(done_.begin() + static_cast<std::ptrdiff_t>(count))};
  done_.erase(done_.begin(), done_.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<std::string> words{"XACK", config_->stream, group_};
  words.insert(words.end(), ids.begin(), ids.end());
  std::string command;
  append_command(command, words);
  ++asking_;
  ask(client(), std::move(command),
      [weak = weak_from_this(), ids = std::move(ids)](const sdk::Result<Reply>& answer) mutable {
        if (const auto self = std::static_pointer_cast<StreamReader>(weak.lock()))
          self->acknowledged(std::move(ids), answer.has_value());
      });
}

void StreamReader::acknowledged(std::vector<std::string> ids, bool ok) {
  --asking_;
  if (ok) {
    for (const auto& id : ids)
      known_.erase(id);
    acknowledge();
  } else {
    done_.insert(done_.begin(), std::make_move_iterator(ids.begin()),
                 std::make_move_iterator(ids.end()));
    if (!is_finishing_)
      after(again_after, [this] { acknowledge(); });
  }
  // What could not be acknowledged comes again: nobody waits for it for ever.
  if (is_finishing_ && asking_ == 0) {
    for (auto& done : std::exchange(finished_, {}))
      done();
  }
}

void StreamReader::finish(std::function<void()> done) {
  is_finishing_ = true;
  acknowledge();
  if (asking_ == 0)
    return done();
  finished_.push_back(std::move(done));
}

// What we are still at must not look as if we had died.
void StreamReader::keep_claims() {
  if (config_->claim_after == 0ms)
    return;
  for (std::size_t from = 0; from < open_.size(); from += most_ids) {
    std::vector<std::string> words{"XCLAIM", config_->stream, group_, consumer_, "0"};
    for (auto i = from; i < std::min(from + most_ids, open_.size()); ++i)
      words.push_back(open_[i].id);
    words.emplace_back("JUSTID");
    std::string command;
    append_command(command, words);
    ask(client(), std::move(command), [](const sdk::Result<Reply>&) {});
  }
  after(config_->claim_after / 3, [this] { keep_claims(); });
}

}  // namespace millrace::redis
