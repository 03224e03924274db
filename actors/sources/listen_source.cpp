#include "actors/sources/listen_source.hpp"

#include "connectors/sdk/json.hpp"
#include "connectors/sdk/reactor.hpp"

#include <utility>

namespace millrace::actors {

ListenSource::ListenSource(std::shared_ptr<const dsl::DatabaseReceive> receive,
                           DatabaseHandle database)
  : receive_{std::move(receive)}, database_{std::move(database)} {
}

ListenSource::~ListenSource() {
  if (listener_)
    listener_->stop();
  if (turns_)
    turns_->close();
}

sdk::Status ListenSource::start(const sdk::SourceContext& context) {
  context_ = context;
  lane_ = std::make_shared<sdk::Lane>(context.name);
  turns_ = std::make_shared<Turns>(context.reactor->loop());
  ChannelListener::Heard heard;
  heard.notifications = [this](const std::vector<sdk::Notification>& all) { emit(all); };
  heard.listening = [this](bool again) { tell_listening(again); };
  heard.refused = [this](const sdk::Error& error) {
    if (!std::exchange(ended_, true))
      context_.events->fail(error);
  };
  listener_ = std::make_shared<ChannelListener>(receive_->channels, database_, turns_,
                                                std::move(heard), *context.log, context.events);
  turns_->post([this] { listener_->start(); });
  return {};
}

sdk::Record& ListenSource::add(sdk::Intake& intake, sdk::Value payload) {
  auto& record = intake.records.emplace_back();
  record.position = ++next_position_;
  intake.bytes += payload.heap_bytes();
  record.set(context_.output, std::move(payload));
  return record;
}

void ListenSource::emit(const std::vector<sdk::Notification>& notifications) {
  if (ended_)
    return;
  sdk::Intake intake{.lane = lane_};
  for (const auto& one : notifications) {
    sdk::Value payload{one.payload};
    if (receive_->json) {
      auto parsed = sdk::parse_json(one.payload);
      if (!parsed) {
        intake.failures.push_back(
          {static_cast<std::uint32_t>(intake.records.size()), parsed.error()});
        add(intake, std::move(payload));
        continue;
      }
      payload = std::move(*parsed);
    }
    add(intake,
        sdk::Value::object(
          {{"channel", one.channel}, {"payload", std::move(payload)}, {"pid", one.process}}));
  }
  context_.events->emit(std::move(intake));
}

void ListenSource::tell_listening(bool again) {
  if (ended_)
    return;
  if (context_.once) {
    end();  // nothing is waiting there to be read
    return;
  }
  context_.log->info("listening", {{"pipeline", sdk::Value{context_.pipeline}},
                                   {"source", sdk::Value{context_.name}},
                                   {"again", sdk::Value{again}}});
  if (!again || !receive_->tells_reconnect)
    return;
  sdk::Intake intake{.lane = lane_};
  add(intake, sdk::Value::object({{"reconnected", true}}));
  context_.events->emit(std::move(intake));
}

void ListenSource::stop() {
  if (turns_)
    turns_->post([this] { end(); });
}

void ListenSource::end() {
  if (std::exchange(ended_, true))
    return;
  listener_->end();
  context_.events->end();
}

}  // namespace millrace::actors
