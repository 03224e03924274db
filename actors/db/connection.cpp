#include "actors/db/connection.hpp"

#include <algorithm>
#include <utility>

namespace millrace::actors::db {

const char* ConnectionState::name = "db.connection";

ConnectionState::~ConnectionState() {
  if (wire)
    wire->close();
}

namespace {

// Events come from the wire's thread; they only pass the news on.
sdk::WireEvents events_to(const ConnectionActor& actor) {
  return {
    .connected = [actor] { caf::anon_send(actor, WireConnected{}); },
    .answered =
      [actor](std::vector<sdk::WireAnswer> answers) {
        caf::anon_send(
          actor, WireAnswered{std::make_shared<std::vector<sdk::WireAnswer>>(std::move(answers))});
      },
    .lost =
      [actor](sdk::WireLoss loss) {
        caf::anon_send(actor, WireGone{std::make_shared<const sdk::WireLoss>(std::move(loss))});
      },
  };
}

ItemAnswer decode_members(sdk::WireAnswer& answer) {
  ItemAnswer decoded{.id = answer.id, .result = sdk::SqlResult{}};
  decoded.bytes = (*answer.result)->bytes();
  auto members = (*answer.result)->decode_members();
  if (members)
    decoded.members = std::move(*members);
  else
    decoded.result = members.error();
  return decoded;
}

std::vector<ItemAnswer> decode(std::vector<sdk::WireAnswer>& answers) {
  std::vector<ItemAnswer> decoded;
  decoded.reserve(answers.size());
  for (auto& answer : answers) {
    if (answer.id == sdk::silent_entry)
      continue;
    if (!answer.result) {
      decoded.push_back({answer.id, std::move(answer.result).error(), answer.aborted});
      decoded.back().unprepared = answer.unprepared;
    } else if (answer.of_set) {
      decoded.push_back(decode_members(answer));
    } else {
      const auto bytes = (*answer.result)->bytes();
      decoded.push_back({answer.id, (*answer.result)->decode(), false});
      decoded.back().bytes = bytes;
    }
  }
  return decoded;
}

}  // namespace

ConnectionActor::behavior_type connection(ConnectionActor::stateful_pointer<ConnectionState> self,
                                          ConnectionId id, PoolActor owner, PoolServices services) {
  report_exceptions(self);
  self->state.wire = services.driver->make_wire(*services.settings, services.reactor->loop(),
                                                events_to(caf::actor_cast<ConnectionActor>(self)));
  self->state.wire->connect();
  return {
    [self](StatementBurst& burst) {
      self->state.client = burst.client;
      self->state.wire->send(std::move(*burst.entries));
    },
    [self, id, owner](WireConnected) { self->send(owner, ConnectionUp{id}); },
    [self, id](WireAnswered& answered) {
      // What could not be made fit for its use must not be used.
      if (std::ranges::any_of(*answered.answers, [](const auto& answer) {
            return answer.id == sdk::silent_entry && !answer.result;
          }))
        self->state.wire->close();
      if (self->state.client)
        self->send(self->state.client, BurstAnswered{id, std::make_shared<std::vector<ItemAnswer>>(
                                                           decode(*answered.answers))});
    },
    // The pool still owns what was in flight: our end is its signal to retry and restart. It hears
    // of the loss before a session does, whose end would look like a connection given back.
    [self, id, owner](const WireGone& gone) {
      self->send(owner, ConnectionGone{id, gone.loss});
      if (self->state.client && self->state.client != owner)
        self->send(self->state.client, ConnectionGone{id, gone.loss});
      self->quit(to_caf(gone.loss->error));
    },
    [self](CancelRunning) { self->state.wire->cancel(); },
    [self](CloseWire close) {
      self->state.wire->close();
      if (close.at_once)
        self->quit();
    },
  };
}

}  // namespace millrace::actors::db
