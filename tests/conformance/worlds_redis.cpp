// A stream, a list and a channel of Redis.
#include "tests/conformance/world.hpp"
#include "tests/connectors/redis/redis_server.hpp"

namespace millrace::test {
namespace {

template <class W>
class RedisWorld : public W {
public:
  std::string servers() const override { return server("redis://127.0.0.1:"); }

  std::string wrong_servers() const override { return server("redis://ada:wrong@127.0.0.1:"); }

  bool has_server() const override { return true; }

  void go_away() override { gate_.shut(); }

  void come_back() override { gate_.open(); }

protected:
  redis::Reply ask(const std::vector<std::string>& command) const { return server_.ask(command); }

private:
  std::string server(const std::string& start) const {
    return "  cache: {protocol: redis, url: '" + start + std::to_string(gate_.port())
           + "', timeout: 500ms}\n";
  }

  RedisServer server_;
  Gate gate_{"127.0.0.1", server_.port()};
};

class StreamSource final : public RedisWorld<SourceWorld> {
public:
  std::string step() const override {
    return "type: redis, operation: receive, server: cache, stream: s, field: json, consumer: me";
  }

  void put(int from, int to, std::uint16_t) override {
    for (int n = from; n < to; ++n)
      ask({"XADD", "s", "*", "json", "{\"n\":" + std::to_string(n) + "}"});
  }

  bool remembers() const override { return true; }

  bool comes_again() const override { return true; }
};

class ListSource final : public RedisWorld<SourceWorld> {
public:
  std::string step() const override {
    return "type: redis, operation: receive, server: cache, list: l, consumer: me";
  }

  void put(int from, int to, std::uint16_t) override {
    std::vector<std::string> all{"RPUSH", "l"};
    for (int n = from; n < to; ++n)
      all.push_back("{\"n\":" + std::to_string(n) + "}");
    ask(all);
  }

  bool remembers() const override { return true; }

  bool comes_again() const override { return true; }
};

class ListSink final : public RedisWorld<SinkWorld> {
public:
  std::string step() const override {
    return "type: redis, operation: rpush, server: cache, key: l, value: {n: $.in.n}";
  }

  std::vector<int> taken() override {
    std::string all;
    for (const auto& item : ask({"LRANGE", "l", "0", "-1"}).items)
      all += item.text + "\n";
    return numbers_in(all);
  }
};

class StreamSink final : public RedisWorld<SinkWorld> {
public:
  std::string step() const override {
    return "type: redis, operation: xadd, server: cache, key: s, fields: {n: $.in.n}";
  }

  std::vector<int> taken() override {
    std::vector<int> all;
    for (const auto& entry : ask({"XRANGE", "s", "-", "+"}).items)
      all.push_back(std::stoi(entry.items[1].items[1].text));
    return all;
  }
};

}  // namespace

void add_redis(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks) {
  const auto why_not = [] { return RedisServer::why_not(); };
  sources.push_back({"RedisStream", [] { return std::make_unique<StreamSource>(); }, why_not});
  sources.push_back({"RedisList", [] { return std::make_unique<ListSource>(); }, why_not});
  sinks.push_back({"RedisList", [] { return std::make_unique<ListSink>(); }, why_not});
  sinks.push_back({"RedisStream", [] { return std::make_unique<StreamSink>(); }, why_not});
}

}  // namespace millrace::test
