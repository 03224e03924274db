// Routes of an HTTP server as sources of pipelines, over real sockets.
#include "tests/connectors/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <chrono>
#include <csignal>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* echo = "  - {name: in, type: http, operation: receive, method: POST, path: "
                             "'/orders/{id}'}\n";

TEST(HttpReceiveTest, GivesThePipelineTheRequestAndAnswersItsLastOutput) {
  Service service{std::string{echo}
                  + "  - {name: out, type: transform, set: {id: $.in.params.id, page: "
                    "$.in.query.page, agent: $.in.headers.user-agent, n: $.in.body.n, how: "
                    "$.meta.in.method, where: $.meta.in.path}}\n"};
  Client client{service.port()};
  const auto reply = client.ask(
    request("POST", "/orders/a%20b%2Fc?page=2&page=3&x", "{\"n\":1.10}",
            "Content-Type: application/json; charset=UTF-8\r\nUser-Agent: test\r\n"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("content-type"), "application/json");
  EXPECT_EQ(reply.body, "{\"id\":\"a b/c\",\"page\":[\"2\",\"3\"],\"agent\":\"test\",\"n\":1.10,"
                        "\"how\":\"POST\",\"where\":\"/orders/a%20b%2Fc\"}");
}

TEST(HttpReceiveTest, RespondSetsStatusHeadersAndBody) {
  Service service{std::string{echo}
                  + "  - {type: http, operation: respond, status: 201, headers: {Location: "
                    "'/orders/${$.in.params.id}', X-Many: [a, b]}, format: text, body: "
                    "'made ${$.in.params.id}'}\n"};
  Client client{service.port()};
  const auto reply = client.ask(request("POST", "/orders/7", "{}"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.headers.at("location"), "/orders/7");
  EXPECT_EQ(reply.headers.at("content-type"), "text/plain; charset=utf-8");
  EXPECT_EQ(reply.body, "made 7");
}

TEST(HttpReceiveTest, KeepsTheConnectionForRequestsInARowAndAtOnce) {
  Service service{std::string{echo}
                  + "  - {name: out, type: transform, set: {id: $.in.params.id}}\n"};
  Client client{service.port()};
  EXPECT_EQ(client.ask(request("POST", "/orders/1")).body, "{\"id\":\"1\"}");
  client.send(request("POST", "/orders/2", "{}") + request("POST", "/orders/3", "[]")
              + request("POST", "/orders/4"));
  EXPECT_EQ(client.read().body, "{\"id\":\"2\"}");
  EXPECT_EQ(client.read().body, "{\"id\":\"3\"}");
  EXPECT_EQ(client.read().body, "{\"id\":\"4\"}");
  const auto last = client.ask(request("POST", "/orders/5", {}, "Connection: close\r\n"));
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST(HttpReceiveTest, TakesBodiesInPiecesAndInChunks) {
  Service service{std::string{echo} + "  - {name: out, type: transform, set: {n: $.in.body.n}}\n"};
  Client client{service.port()};
  for (const char c : request("POST", "/orders/1", "{\"n\":7}"))
    client.send({&c, 1});
  EXPECT_EQ(client.read().body, "{\"n\":7}");
  client.send("POST /orders/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3;note=1\r\n{\"n\r\n4\r\n\":8}\r\n0\r\nX-Trailer: 1\r\n\r\n");
  EXPECT_EQ(client.read().body, "{\"n\":8}");
  EXPECT_EQ(client.ask(request("POST", "/orders/1", "{\"n\":9}")).body, "{\"n\":9}");
}

TEST(HttpReceiveTest, DecodesLargeBodiesToo) {
  Service service{std::string{echo}
                  + "  - {name: out, type: transform, set: {last: '$.in.body[-1]'}}\n"};
  Client client{service.port()};
  std::string body = "[";
  while (body.size() < 500'000)
    body += "\"some text\",";
  body += "42]";
  EXPECT_EQ(client.ask(request("POST", "/orders/1", body)).body, "{\"last\":42}");
}

TEST(HttpReceiveTest, TakesTextFormsAndBytes) {
  Service service{"pipelines:\n"
                  "  text: {steps: [{name: in, type: http, operation: receive, method: PUT, path: "
                  "/text, format: text}, {name: out, type: transform, set: {got: $.in.body}}]}\n"
                  "  form: {steps: [{name: in, type: http, operation: receive, method: PUT, path: "
                  "/form, format: form}, {name: out, type: transform, set: {got: $.in.body}}]}\n"
                  "  bytes: {steps: [{name: in, type: http, operation: receive, method: PUT, path: "
                  "/bytes, format: bytes}, {type: http, operation: respond, format: bytes, body: "
                  "$.in.body}]}\n"};
  Client client{service.port()};
  EXPECT_EQ(
    client.ask(request("PUT", "/text", "gr\xC3\xBC\xC3\x9F", "Content-Type: text/plain\r\n")).body,
    "{\"got\":\"gr\xC3\xBC\xC3\x9F\"}");
  EXPECT_EQ(client
              .ask(request("PUT", "/form", "a=1&b=x+y%21&a=2",
                           "Content-Type: application/x-www-form-urlencoded\r\n"))
              .body,
            "{\"got\":{\"a\":[\"1\",\"2\"],\"b\":\"x y!\"}}");
  const auto reply = client.ask(request("PUT", "/bytes", std::string{"\0\xFF\x10", 3}));
  EXPECT_EQ(reply.body, (std::string{"\0\xFF\x10", 3}));
  EXPECT_EQ(reply.headers.at("content-type"), "application/octet-stream");
  EXPECT_EQ(client.ask(request("PUT", "/text", "\xFF")).status, 400);
}

TEST(HttpReceiveTest, AnswersWhatIsNoRouteAsTheRfcSays) {
  Service service{"pipelines:\n"
                  "  read: {steps: [{name: in, type: http, operation: receive, method: GET, path: "
                  "'/a/{x}'}, {name: out, type: transform, set: {x: $.in.params.x}}]}\n"
                  "  write: {steps: [{name: in, type: http, operation: receive, methods: [PUT, "
                  "DELETE], path: '/a/{x}', maxBody: 10}, {type: drop}]}\n"
                  "  exact: {steps: [{name: in, type: http, operation: receive, method: GET, path: "
                  "/a/b}, {name: out, type: transform, set: {exact: true}}]}\n"};
  Client client{service.port()};
  EXPECT_EQ(client.ask(request("GET", "/nowhere")).status, 404);
  const auto wrong = client.ask(request("POST", "/a/1"));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "DELETE, GET, PUT, HEAD, OPTIONS");
  const auto options = client.ask(request("OPTIONS", "/a/1"));
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.at("allow"), "DELETE, GET, PUT, HEAD, OPTIONS");
  EXPECT_EQ(client.ask(request("GET", "/a/b")).body, "{\"exact\":true}");
  EXPECT_EQ(client.ask(request("GET", "http://elsewhere/a/c?x=1")).body, "{\"x\":\"c\"}");
  EXPECT_EQ(client.ask(request("GET", "/a/%zz")).status, 400);

  Client second{service.port()};
  second.send(request("HEAD", "/a/1"));
  const auto head = second.read(false);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "9");
  EXPECT_EQ(second.ask(request("PUT", "/a/1", "{}", "Content-Type: text/xml\r\n")).status, 415);

  Client third{service.port()};
  const auto large = third.ask(request("PUT", "/a/1", std::string(11, ' ')));
  EXPECT_EQ(large.status, 413);
  EXPECT_TRUE(third.is_closed());
}

TEST(HttpReceiveTest, SaysWhatIsWrongWithABody) {
  Service service{std::string{echo} + "  - {type: drop}\n"};
  Client client{service.port()};
  const auto reply = client.ask(request("POST", "/orders/1", "{\"n\":", "X-Request-Id: r-1\r\n"));
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
  EXPECT_EQ(reply.headers.at("x-request-id"), "r-1");
  EXPECT_THAT(reply.body, HasSubstr("\"title\":\"Bad Request\",\"status\":400"));
}

TEST(HttpReceiveTest, AsksForABodyThatIsExpected) {
  Service service{std::string{echo} + "  - {name: out, type: transform, set: {n: $.in.body.n}}\n"};
  Client client{service.port()};
  client.send("POST /orders/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: "
              "100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  EXPECT_EQ(client.ask("{\"n\":1}").body, "{\"n\":1}");
  client.send("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nExpect: "
              "100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 404);
}

TEST(HttpReceiveTest, AnswersAFailedRecordByTheKindOfItsError) {
  Service service{
    "  - {name: in, type: http, operation: receive, method: GET, path: /}\n"
    "  - {type: fail, when: \"$.in.query.how == 'fail'\", message: 'no such customer'}\n"
    "  - {type: filter, when: \"$.in.query.how != 'filter'\"}\n"
    "  - {name: out, type: transform, set: {x: {path: $.in.query.x, required: true}}}\n"};
  Client client{service.port()};
  const auto failed = client.ask(request("GET", "/?how=fail"));
  EXPECT_EQ(failed.status, 422);
  EXPECT_THAT(failed.body, HasSubstr("no such customer"));
  EXPECT_EQ(client.ask(request("GET", "/?how=filter")).status, 204);
  EXPECT_EQ(client.ask(request("GET", "/?how=x")).status, 422);
  EXPECT_EQ(client.ask(request("GET", "/?x=1")).body, "{\"x\":\"1\"}") << "it goes on";
}

TEST(HttpReceiveTest, RespondInOnErrorAnswersTheFailure) {
  Service service{
    "  - {name: in, type: http, operation: receive, method: GET, path: /}\n"
    "  - {type: http, operation: respond, status: 200, body: fine}\n"
    "  - {type: fail, message: oops, onError: {then: skip, steps: [{type: http, operation: "
    "respond, status: 418, body: {why: $.error.message}}]}}\n"};
  Client client{service.port()};
  const auto reply = client.ask(request("GET", "/"));
  EXPECT_EQ(reply.status, 418);
  EXPECT_EQ(reply.body, "{\"why\":\"oops\"}");
}

TEST(HttpReceiveTest, AnswersWhileItsDatabaseIsDownAndLogsWhatItDoesNotTell) {
  Service service{
    "  - {name: in, type: http, operation: receive, server: api, method: GET, path: /}\n"
    "  - {name: q, type: database, operation: executeSql, server: db, query: SELECT 1, "
    "parameters: []}\n",
    "}\n  db: {protocol: database, url: 'postgresql://u@127.0.0.1:1/x'"};
  Client client{service.port()};
  for (int i = 0; i < 3; ++i) {
    const auto began = std::chrono::steady_clock::now();
    const auto reply = client.ask(request("GET", "/", {}, "X-Request-Id: lost-one\r\n"));
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers.at("retry-after"), "1");
    EXPECT_THAT(reply.body, Not(HasSubstr("127.0.0.1")));
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{1});
  }
  EXPECT_TRUE(
    service.process().wait_for("request failed pipeline=trial request=lost-one status=503"));
}

TEST(HttpReceiveTest, AnswersWhileItsDatabaseIsABlackHole) {
  // Connections come about, and nothing ever comes back.
  const int hole = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(hole, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(hole, 128), 0);
  ASSERT_EQ(::getsockname(hole, reinterpret_cast<sockaddr*>(&address), &size), 0);
  Service service{
    "  - {name: in, type: http, operation: receive, server: api, method: GET, path: /}\n"
    "  - {name: q, type: database, operation: executeSql, server: db, query: SELECT 1, "
    "parameters: []}\n",
    "}\n  db: {protocol: database, connect_timeout: 300ms, url: 'postgresql://u@127.0.0.1:"
      + std::to_string(ntohs(address.sin_port)) + "/x'"};
  Client client{service.port()};
  for (int i = 0; i < 5; ++i) {
    const auto reply = client.ask(request("GET", "/"));
    EXPECT_EQ(reply.status, 503) << i;
    EXPECT_EQ(reply.headers.at("retry-after"), "1");
  }
  EXPECT_TRUE(service.process().wait_for("database unreachable"));
  ::close(hole);
}

TEST(HttpReceiveTest, AnswersARequestThatTakesTooLong) {
  Service service{"  - {name: in, type: http, operation: receive, method: GET, path: /, timeout: "
                  "200ms}\n"
                  "  - {type: delay, for: 20s, when: $.in.query.slow}\n"
                  "  - {name: out, type: transform, set: {ok: true}}\n"};
  Client client{service.port()};
  EXPECT_EQ(client.ask(request("GET", "/?slow=1")).status, 504);
  EXPECT_EQ(client.ask(request("GET", "/")).status, 200) << "the connection goes on";
}

TEST(HttpReceiveTest, RefusesMoreThanItMayHaveUnderWay) {
  Service service{"  - {name: in, type: http, operation: receive, method: GET, path: /, "
                  "maxRequests: 2}\n"
                  "  - {type: delay, for: 1s}\n"};
  Client first{service.port()};
  Client second{service.port()};
  Client third{service.port()};
  first.send(request("GET", "/"));
  second.send(request("GET", "/"));
  Reply refused;
  for (int tries = 0; tries < 100 && refused.status != 503; ++tries)
    refused = third.ask(request("GET", "/"));
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
}

TEST(HttpReceiveTest, AnswersWhatIsUnderWayWhenItIsStopped) {
  Service service{"  - {name: in, type: http, operation: receive, method: GET, path: /}\n"
                  "  - {type: log, level: warn, message: arrived}\n"
                  "  - {type: delay, for: 700ms}\n"
                  "  - {name: out, type: transform, set: {done: true}}\n"};
  Client idle{service.port()};
  EXPECT_EQ(idle.ask(request("GET", "/nowhere")).status, 404);
  Client client{service.port()};
  client.send(request("GET", "/"));
  ASSERT_TRUE(service.process().wait_for("arrived"));
  service.process().signal(SIGTERM);
  EXPECT_TRUE(idle.is_closed());
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "{\"done\":true}");
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_EQ(service.process().wait().code, 0);
  Client late{service.port()};
  EXPECT_EQ(late.ask(request("GET", "/")).status, 0) << "nobody listens";
}

TEST(HttpReceiveTest, TakesUpRequestIdsAndTraces) {
  Service service{"  - {name: in, type: http, operation: receive, method: GET, path: /}\n"
                  "  - {name: out, type: transform, set: {id: $.meta.in.requestId, trace: "
                  "$.meta.in.traceparent}}\n"};
  Client client{service.port()};
  const std::string trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  const auto reply = client.ask(
    request("GET", "/", {}, "X-Request-Id: abc\r\ntraceparent: " + trace + "\r\n"));
  EXPECT_EQ(reply.body, "{\"id\":\"abc\",\"trace\":\"" + trace + "\"}");
  EXPECT_EQ(reply.headers.at("x-request-id"), "abc");
  const auto fresh = client.ask(request("GET", "/", {}, "traceparent: 00-0-0-0\r\n"));
  EXPECT_EQ(fresh.headers.at("x-request-id").size(), 32U);
  EXPECT_THAT(fresh.body, Not(HasSubstr("00-0-0-0")));
}

}  // namespace
}  // namespace millrace::test
