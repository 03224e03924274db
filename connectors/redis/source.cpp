#include "connectors/redis/source.hpp"

#include "connectors/redis/clients.hpp"

namespace millrace::redis {

sdk::Status RedisSource::start(const sdk::SourceContext& context) {
  auto tls = server_->clients->tls(server_);
  if (!tls)
    return std::move(tls).error();
  auto client = server_->clients->get(server_, *context.reactor, *context.log);
  if (!client)
    return std::move(client).error();
  gate_ = std::make_shared<EventsGate>(context.events);
  reader_ = make_({server_, context, std::move(*tls), std::move(*client), gate_});
  reader_->loop().post([reader = reader_] { reader->connect(); });
  return {};
}

RedisSource::~RedisSource() {
  if (gate_)
    gate_->shut();
  // It ends where it lived.
  if (reader_) {
    auto& loop = reader_->loop();
    loop.post([reader = std::move(reader_)] { reader->close(); });
  }
}

void RedisSource::settled(const sdk::Lane&, std::uint64_t position) {
  reader_->loop().post([reader = reader_, position] { reader->settled(position); });
}

void RedisSource::finish(std::function<void()> done) {
  if (!reader_)
    return done();
  reader_->loop().post(
    [reader = reader_, done = std::move(done)]() mutable { reader->finish(std::move(done)); });
}

void RedisSource::stop() {
  if (reader_)
    reader_->loop().post([reader = reader_] { reader->stop(); });
}

}  // namespace millrace::redis
