#include "connectors/postgres/client/link.hpp"

#include <utility>

namespace millrace::postgres {

ClientLink::ClientLink(Services services) : services_{std::move(services)} {
}

ClientLink::~ClientLink() {
  if (wire_ && !lost_)
    wire_->close();
}

// Drivers may call from a thread of their own.
void ClientLink::on_loop(std::function<void(ClientLink&)> event) {
  if (services_.loop->on_this_thread()) {
    event(*this);
    return;
  }
  services_.loop->post([self = shared_from_this(), event = std::move(event)] { event(*self); });
}

void ClientLink::open(std::function<void()> connected,
                      std::function<void(const sdk::WireLoss&)> lost) {
  on_connected_ = std::move(connected);
  on_lost_ = std::move(lost);
  sdk::WireEvents events;
  events.connected = [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->on_loop([](ClientLink& link) {
        if (link.on_connected_)
          std::exchange(link.on_connected_, nullptr)();
      });
  };
  events.answered = [weak = weak_from_this()](std::vector<sdk::WireAnswer> answers) {
    if (const auto self = weak.lock()) {
      auto shared = std::make_shared<std::vector<sdk::WireAnswer>>(std::move(answers));
      self->on_loop([shared](ClientLink& link) { link.take(*shared); });
    }
  };
  events.lost = [weak = weak_from_this()](sdk::WireLoss loss) {
    if (const auto self = weak.lock())
      self->on_loop([loss = std::move(loss)](ClientLink& link) { link.lose(loss); });
  };
  wire_ = services_.driver->make_wire(*services_.settings, *services_.loop, std::move(events));
  wire_->connect();
}

void ClientLink::run(std::vector<BurstItem> items, std::function<void(BurstResult)> done) {
  burst_ = {};
  burst_.items.resize(items.size());
  missing_ = items.size();
  done_ = std::move(done);
  if (lost_) {
    burst_.loss = sdk::WireLoss{{sdk::ErrorKind::connection,
                                 "the connection was lost",
                                 {.code = "08006", .retryable = true}}};
    finish();
    return;
  }
  std::vector<sdk::WireEntry> entries;
  entries.reserve(items.size());
  for (auto& item : items)
    entries.push_back({entries.size(), std::move(item.statement), item.set, item.sync, item.flush});
  wire_->send(std::move(entries));
}

void ClientLink::close() {
  if (wire_ && !lost_)
    wire_->close();
}

void ClientLink::take(std::vector<sdk::WireAnswer>& answers) {
  for (auto& answer : answers) {
    if (answer.id >= burst_.items.size() || burst_.items[answer.id].result)
      continue;
    auto& item = burst_.items[answer.id];
    if (answer.result)
      item.result = (*answer.result)->decode();
    else
      item.result = answer.result.error();
    --missing_;
  }
  if (missing_ == 0)
    finish();
}

void ClientLink::lose(sdk::WireLoss loss) {
  if (std::exchange(lost_, true))
    return;
  const auto self = shared_from_this();
  on_connected_ = nullptr;
  for (const auto& entry : loss.unanswered) {
    if (entry.id >= burst_.items.size())
      continue;
    auto& item = burst_.items[entry.id];
    item.phase = entry.phase;
    if (!entry.result)
      continue;
    if (auto told = entry.result->decode())
      item.told = std::move(*told);
  }
  burst_.loss = std::move(loss);
  if (done_)
    finish();
  if (on_lost_)
    std::exchange(on_lost_, nullptr)(*burst_.loss);
}

void ClientLink::finish() {
  if (!done_)
    return;
  const auto loss = burst_.loss;
  std::exchange(done_, nullptr)(std::exchange(burst_, {}));
  burst_.loss = loss;
}

}  // namespace millrace::postgres
