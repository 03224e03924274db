#include "actors/db/connection.hpp"

#include <utility>

namespace millrace::actors::db {

const char* ConnectionState::name = "db.connection";

ConnectionState::~ConnectionState() {
  if (wire)
    wire->close();
}

namespace {

// Events come from the wire's thread; they only pass the news on.
sdk::WireEvents events_to(const ConnectionActor& actor, const std::shared_ptr<AnswerRoute>& route) {
  return {
    .connected = [actor] { caf::anon_send(actor, WireConnected{}); },
    .answered =
      [actor, route](std::vector<sdk::WireAnswer> answers) {
        WireAnswered answered{std::make_shared<std::vector<sdk::WireAnswer>>(std::move(answers))};
        if (const auto session = route->session())
          caf::anon_send(caf::actor_cast<SessionActor>(session), std::move(answered));
        else
          caf::anon_send(actor, std::move(answered));
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

}  // namespace

void AnswerRoute::lead_to(caf::strong_actor_ptr session) {
  const std::lock_guard lock{mutex_};
  session_.swap(session);
}

caf::strong_actor_ptr AnswerRoute::session() const {
  const std::lock_guard lock{mutex_};
  return session_;
}

std::vector<ItemAnswer> decode(std::vector<sdk::WireAnswer>& answers, sdk::Wire& wire) {
  std::vector<ItemAnswer> decoded;
  decoded.reserve(answers.size());
  for (auto& answer : answers) {
    if (answer.id == sdk::silent_entry) {
      // What could not be made fit for its use must not be used.
      if (!answer.result)
        wire.close();
      continue;
    }
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

ConnectionActor::behavior_type connection(ConnectionActor::stateful_pointer<ConnectionState> self,
                                          ConnectionId id, PoolActor owner, PoolServices services) {
  report_exceptions(self);
  const auto route = std::make_shared<AnswerRoute>();
  self->state.wire = services.driver->make_wire(
    *services.settings, services.reactor->loop(),
    events_to(caf::actor_cast<ConnectionActor>(self), route));
  self->state.wire->connect();
  return {
    [self, id, owner, route](WireConnected) {
      self->send(owner, ConnectionUp{id, {self->state.wire, route}});
    },
    [self, id, owner](WireAnswered& answered) {
      self->send(owner, BurstAnswered{id, std::make_shared<std::vector<ItemAnswer>>(
                                            decode(*answered.answers, *self->state.wire))});
    },
    // The pool still owns what was in flight: our end is its signal to retry and restart. It hears
    // of the loss before a session does, whose end would look like a connection given back.
    [self, id, owner, route](const WireGone& gone) {
      self->send(owner, ConnectionGone{id, gone.loss});
      if (const auto session = route->session())
        self->send(caf::actor_cast<SessionActor>(session), ConnectionGone{id, gone.loss});
      self->quit(to_caf(gone.loss->error));
    },
    [self](CloseWire close) {
      self->state.wire->close();
      if (close.at_once)
        self->quit();
    },
  };
}

}  // namespace millrace::actors::db
