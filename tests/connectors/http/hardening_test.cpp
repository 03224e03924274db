// Clients that are slow, greedy, broken or hostile, over real sockets: a clean refusal, nothing
// that the others notice, and bounded memory.
#include "tests/connectors/http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <vector>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr const char* counting =
  "  - {name: in, type: http, operation: receive, methods: [GET, POST], path: '/{x}', format: "
  "text, maxBody: 100KiB}\n"
  "  - {name: out, type: transform, set: {x: $.in.params.x, body: $.in.body}}\n";

std::size_t resident_kib(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string word; in >> word;) {
    std::size_t size = 0;
    if (word == "VmRSS:" && in >> size)
      return size;
  }
  return 0;
}

// What a proxy in front may read as one request and we as two, or the other way round.
struct Smuggled {
  const char* name;
  std::string bytes;
  int status = 400;
};

class HttpSmugglingTest : public testing::TestWithParam<Smuggled> {};

TEST_P(HttpSmugglingTest, IsRefusedAndEndsTheConnection) {
  Service service{counting};
  Client client{service.port()};
  client.send(GetParam().bytes + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
  auto reply = client.read();
  EXPECT_EQ(reply.status, GetParam().status) << reply.body;
  EXPECT_EQ(reply.headers["connection"], "close");
  EXPECT_EQ(client.read().status, 0) << "a second answer";
  Client other{service.port()};
  EXPECT_EQ(other.ask(request("GET", "/fine")).status, 200);
}

const std::string start = "POST /a HTTP/1.1\r\nHost: x\r\n";

INSTANTIATE_TEST_SUITE_P(
  Requests, HttpSmugglingTest,
  testing::Values(
    Smuggled{"TwoLengths", start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
    Smuggled{"TheSameLengthTwice", start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"},
    Smuggled{"AListOfLengths", start + "Content-Length: 3, 3\r\n\r\nabc"},
    Smuggled{"ASignedLength", start + "Content-Length: +3\r\n\r\nabc"},
    Smuggled{"ANegativeLength", start + "Content-Length: -3\r\n\r\nabc"},
    Smuggled{"AHugeLength", start + "Content-Length: 99999999999999999999999\r\n\r\nabc"},
    Smuggled{"LengthAndChunked",
             start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    Smuggled{"ChunkedTwice", start
                               + "Transfer-Encoding: chunked\r\nTransfer-Encoding: "
                                 "chunked\r\n\r\n0\r\n\r\n"},
    Smuggled{"AnotherCoding", start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
    Smuggled{"AnUnknownCoding", start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
    Smuggled{"AQuotedCoding", start + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 501},
    Smuggled{"ASpaceBeforeTheColon", start + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"},
    Smuggled{"ABareLineFeed", start + "X-A: 1\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    Smuggled{"BareLineFeedsOnly", "GET /a HTTP/1.1\nHost: x\n\n"},
    Smuggled{"ABareCarriageReturn", start + "X-A: 1\rTransfer-Encoding: chunked\r\n\r\n"},
    Smuggled{"AFoldedHeader", start + "X-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n"},
    Smuggled{"AFoldedFirstHeader", "POST /a HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n"},
    Smuggled{"NulInAHeader", start + std::string{"X-A: a\0b\r\n\r\n", 12}},
    Smuggled{"NoColon", start + "Transfer-Encoding chunked\r\n\r\n"},
    Smuggled{"AnEmptyName", start + ": chunked\r\n\r\n"},
    Smuggled{"TwoHosts", "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
    Smuggled{"NoHost", "GET /a HTTP/1.1\r\n\r\n"},
    Smuggled{"ChunkedInOldHttp", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    Smuggled{"ABrokenChunk", start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n"},
    Smuggled{"AHexPrefixedChunk",
             start + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n"},
    Smuggled{"AChunkThatIsTooLong", start + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n"},
    Smuggled{"AHugeChunk",
             start + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nabc\r\n0\r\n\r\n"},
    Smuggled{"AnotherVersion", "GET /a HTTP/3.7\r\nHost: x\r\n\r\n", 505},
    Smuggled{"ThePrefaceOfHttp2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    Smuggled{"NoHttpAtAll", "\x16\x03\x01\x02\r\n\r\n"},
    Smuggled{"ATunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"}),
  [](const auto& one) { return one.param.name; });

TEST(HttpHardeningTest, CutsOffWhoDripsAHead) {
  Service service{counting, ", headTimeout: 300ms"};
  Client slow{service.port()};
  slow.send("GET / HTTP/1.1\r\nHo");
  const auto began = Clock::now();
  slow.patience = std::chrono::milliseconds{50};
  Reply reply;
  while (reply.status == 0 && Clock::now() - began < std::chrono::seconds{5}) {
    slow.send("s");  // a byte now and then does not help
    reply = slow.read();
  }
  EXPECT_EQ(reply.status, 408);
  EXPECT_LT(Clock::now() - began, std::chrono::seconds{2});
  slow.patience = std::chrono::seconds{5};
  EXPECT_TRUE(slow.is_closed());
}

TEST(HttpHardeningTest, CutsOffWhoDripsABody) {
  Service service{counting, ", bodyTimeout: 300ms"};
  Client slow{service.port()};
  slow.send(start + "Content-Length: 1000\r\n\r\nab");
  EXPECT_EQ(slow.read().status, 408);
  EXPECT_TRUE(slow.is_closed());
}

TEST(HttpHardeningTest, EndsConnectionsThatSayNothing) {
  Service service{counting, ", headTimeout: 200ms, idleTimeout: 200ms"};
  Client silent{service.port()};
  Client idle{service.port()};
  EXPECT_EQ(idle.ask(request("GET", "/a")).status, 200);
  EXPECT_TRUE(silent.is_closed());
  EXPECT_TRUE(idle.is_closed());
}

TEST(HttpHardeningTest, RefusesHeadsThatAreBombs) {
  Service service{counting};
  const auto status_of = [&](const std::string& bytes) {
    Client client{service.port()};
    client.send(bytes);
    return client.read().status;
  };
  EXPECT_EQ(status_of(start + "X: " + std::string(1'000'000, 'a')), 431);
  std::string many = start;
  for (int i = 0; i < 100'000; ++i)
    many += "X" + std::to_string(i) + ": 1\r\n";
  EXPECT_EQ(status_of(many + "\r\n"), 431);
  EXPECT_EQ(status_of("GET /" + std::string(1'000'000, 'a')), 414);
  EXPECT_EQ(status_of(start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100'000, 'x')),
            400);
  std::string fields;
  for (int i = 0; i < 2'000; ++i)
    fields += "a&";
  EXPECT_EQ(status_of(request("GET", "/a?" + fields)), 400);
  EXPECT_EQ(status_of(request("GET", "/a")), 200);
}

TEST(HttpHardeningTest, TellsWhoSendsTooMuchThoughItIsStillSending) {
  Service service{counting};
  Client counted{service.port()};
  counted.send(start + "Content-Length: 50000000\r\n\r\n" + std::string(300'000, 'a'));
  EXPECT_EQ(counted.read().status, 413);
  Client chunked{service.port()};
  chunked.send(start + "Transfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i)
    chunked.send("2800\r\n" + std::string(0x2800, 'a') + "\r\n");
  EXPECT_EQ(chunked.read().status, 413);
}

TEST(HttpHardeningTest, AnswersWhoHasClosedItsSendingSide) {
  Service service{counting};
  Client client{service.port()};
  client.send(request("GET", "/a"));
  client.half_close();
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(client.is_closed());
  Client broken{service.port()};
  broken.send(start + "Content-Length: 10\r\n\r\nabc");
  broken.half_close();
  EXPECT_EQ(broken.read().status, 400);
  EXPECT_TRUE(broken.is_closed());
}

TEST(HttpHardeningTest, OutlivesClientsThatVanish) {
  Service service{"  - {name: in, type: http, operation: receive, method: GET, path: '/{x}', "
                  "maxRequests: 1}\n"
                  "  - {type: delay, for: 300ms, when: \"$.in.params.x == 'slow'\"}\n"
                  "  - {name: out, type: transform, set: {ok: true}}\n"};
  for (int i = 0; i < 50; ++i) {
    Client client{service.port()};
    client.send(request("GET", "/slow").substr(0, static_cast<std::size_t>(i)));
    client.reset();
  }
  Client gone{service.port()};
  gone.send(request("GET", "/slow"));
  gone.reset();
  Client client{service.port()};
  Reply reply;
  const auto deadline = Clock::now() + std::chrono::seconds{10};
  while (reply.status != 200 && Clock::now() < deadline)
    reply = client.ask(request("GET", "/a"));
  EXPECT_EQ(reply.status, 200) << "the place of the one that vanished is free again";
}

TEST(HttpHardeningTest, ServesOthersWhileTenThousandConnectionsAreIdle) {
  // As many as may be: this process needs a descriptor for each too.
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  const auto was = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  constexpr std::size_t spare = 200;
  const auto count = std::min<std::size_t>(10'000, limit.rlim_max - spare);
  Service service{counting, ", maxConnections: 10100"};
  const auto before = resident_kib(service.process().pid());
  std::vector<std::unique_ptr<Client>> idle;
  for (std::size_t i = 0; i < count; ++i)
    idle.push_back(std::make_unique<Client>(service.port()));
  for (std::size_t i = 0; i < idle.size(); i += 100)
    EXPECT_EQ(idle[i]->ask(request("GET", "/a")).status, 200) << i;
  EXPECT_EQ(idle.back()->ask(request("GET", "/a")).status, 200);
  const auto grown = resident_kib(service.process().pid()) - before;
  EXPECT_LT(grown, count * 10) << "KiB for " << count << " connections";
  const auto descriptors = [&] {
    return static_cast<std::size_t>(std::distance(
      std::filesystem::directory_iterator{"/proc/" + std::to_string(service.process().pid())
                                          + "/fd"},
      std::filesystem::directory_iterator{}));
  };
  EXPECT_GE(descriptors(), count);
  idle.clear();
  // Each of them goes when its client did.
  const auto deadline = Clock::now() + std::chrono::seconds{30};
  while (descriptors() > 100 && Clock::now() < deadline) {
  }
  EXPECT_LE(descriptors(), 100U);
  limit.rlim_cur = was;
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(HttpHardeningTest, RefusesConnectionsBeyondItsLimit) {
  Service service{counting, ", maxConnections: 3"};
  Client first{service.port()};
  Client second{service.port()};
  auto third = std::make_unique<Client>(service.port());
  for (auto* client : {&first, &second, third.get()})
    EXPECT_EQ(client->ask(request("GET", "/a")).status, 200);
  Client fourth{service.port()};
  const auto refused = fourth.read();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  third.reset();
  Reply reply;
  for (int tries = 0; tries < 1000 && reply.status != 200; ++tries) {
    Client next{service.port()};
    reply = next.ask(request("GET", "/a"));
  }
  EXPECT_EQ(reply.status, 200) << "the place of the third is free again";
}

TEST(HttpHardeningTest, HoldsNoMoreThanAHeadForWhoSendsAhead) {
  Service service{counting};
  Client client{service.port()};
  std::string many;
  for (int i = 0; i < 500; ++i)
    many += request("GET", "/" + std::to_string(i));
  client.send(many);
  for (int i = 0; i < 500; ++i) {
    const auto reply = client.read();
    ASSERT_EQ(reply.status, 200) << i;
    EXPECT_THAT(reply.body, HasSubstr("\"x\":\"" + std::to_string(i) + "\""));
  }
}

TEST(HttpHardeningTest, EndsWhoDoesNotReadItsAnswer) {
  Service service{"  - {name: in, type: http, operation: receive, method: POST, path: /, format: "
                  "text, maxBody: 32MiB}\n"
                  "  - {name: out, type: transform, set: {body: $.in.body}}\n",
                  ", bodyTimeout: 500ms, maxConnections: 1"};
  Client deaf{service.port()};
  deaf.send(request("POST", "/", std::string(16'000'000, 'a')));
  // Its place is free once it was given up.
  Reply next;
  for (int tries = 0; tries < 100'000 && next.status != 200; ++tries) {
    Client client{service.port()};
    next = client.ask(request("POST", "/", "b"));
  }
  EXPECT_EQ(next.status, 200);
  const auto reply = deaf.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_LT(reply.body.size(), 16'000'000U) << "the rest was kept for it";
}

}  // namespace
}  // namespace millrace::test
