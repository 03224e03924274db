// RedisSource: what the engine holds of a Reader.
#pragma once

#include "connectors/redis/reader.hpp"
#include "connectors/sdk/source.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace millrace::redis {

class RedisSource final : public sdk::Source {
public:
  using MakeReader = std::function<std::shared_ptr<Reader>(ReaderInput input)>;

  RedisSource(ServerPtr server, MakeReader make)
    : server_{std::move(server)}, make_{std::move(make)} {}

  ~RedisSource() override;
  RedisSource(const RedisSource&) = delete;
  RedisSource& operator=(const RedisSource&) = delete;

  sdk::Status start(const sdk::SourceContext& context) override;
  void settled(const sdk::Lane& lane, std::uint64_t position) override;
  void finish(std::function<void()> done) override;
  void stop() override;

private:
  ServerPtr server_;
  MakeReader make_;
  std::shared_ptr<EventsGate> gate_;
  std::shared_ptr<Reader> reader_;
};

}  // namespace millrace::redis
