// Requests that come to a route of ours, and requests to a server of the test's own.
#include "tests/conformance/world.hpp"
#include "tests/connectors/http/client.hpp"
#include "tests/connectors/http/peer.hpp"

namespace millrace::test {
namespace {

class RouteSource final : public SourceWorld {
public:
  std::string servers() const override {
    return "  api: {protocol: http, url: 'http://127.0.0.1:0'}\n";
  }

  std::string step() const override {
    return "type: http, operation: receive, server: api, method: POST, path: /";
  }

  std::string number() const override { return "$.in.body.n"; }

  // Each on a connection of its own: those of one wait for each other's answers.
  void put(int from, int to, std::uint16_t port) override {
    for (int n = from; n < to; ++n)
      clients_.emplace_back(std::make_unique<Client>(port))
        ->send(request("POST", "/", "{\"n\":" + std::to_string(n) + "}",
                       "Content-Type: application/json\r\n"));
  }

  bool keeps_order() const override { return false; }

  bool needs_port() const override { return true; }

  bool ends() const override { return false; }

private:
  std::vector<std::unique_ptr<Client>> clients_;
};

class RequestSink final : public SinkWorld {
public:
  std::string servers() const override {
    return "  peer: {protocol: http, url: 'http://127.0.0.1:" + std::to_string(gate_.port())
           + "', connectTimeout: 500ms}\n";
  }

  // One at a time: several at once have no order.
  std::string step() const override {
    return "type: http, operation: request, server: peer, method: PUT, path: '/${$.in.n}', body: "
           "{n: $.in.n}, retry: {attempts: 1}";
  }

  std::vector<int> taken() override {
    std::string all;
    for (const auto& one : peer_.requests())
      all += one + "\n";
    return numbers_in(all);
  }

  bool has_server() const override { return true; }

  void go_away() override { gate_.shut(); }

  void come_back() override { gate_.open(); }

private:
  Peer peer_{[](int, const std::string&) { return answer(200, "{}"); }};
  Gate gate_{"127.0.0.1", peer_.port()};
};

}  // namespace

void add_http(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks) {
  sources.push_back({"Http", [] { return std::make_unique<RouteSource>(); }});
  sinks.push_back({"Http", [] { return std::make_unique<RequestSink>(); }});
}

}  // namespace millrace::test
