// Requests to servers of all kinds, as a user runs them: stdin, request, stdout.
#include "connectors/http/client/courier.hpp"
#include "connectors/http/client/retry_plan.hpp"
#include "connectors/http/gzip.hpp"
#include "tests/connectors/http/client.hpp"
#include "tests/connectors/http/peer.hpp"
#include "tests/runtime/millrace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <string>

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string json = "Content-Type: application/json\r\n";

class HttpRequestTest : public testing::Test {
protected:
  Finished run(const std::string& url, const std::string& step, const std::string& input = "{}\n",
               const std::string& server = {}, const std::string& more = {}) {
    const auto file = scratch_.write(
      "p.yaml", "servers:\n  peer: {protocol: http, url: '" + url + "'" + server + "}\n" + more
                  + "name: trial\nsteps:\n  - {name: in, type: stdin}\n  - {name: ask, type: http, "
                    "operation: request, "
                  + step + "}\n  - {type: stdout}\n");
    auto launch = millrace_launch({"run", "--once", file}, input);
    launch.environment = {{"no_proxy", "127.0.0.1"}, {"SECRET", "s3cr3t-t0-n0body"}};
    return run_process(launch);
  }

  Scratch scratch_;
};

TEST_F(HttpRequestTest, SendsWhatIsSaidAndGivesBackWhatCame) {
  Peer peer{[](int, const std::string&) {
    return answer(200, "{\"id\":1.50}", json + "X-A: 1\r\nX-A: 2\r\n");
  }};
  const auto done = run(peer.url() + "/v1/",
                        "method: PUT, path: '/a/${$.in.id}', query: {q: $.in.q, none: $.in.none, "
                        "many: [1, 2]}, headers: {X-Id: $.in.id}, body: {id: $.in.id}, response: "
                        "{status: $.status, id: $.body.id, a: $.headers.x-a}",
                        "{\"id\":\"x/y z\",\"q\":\"a&b\"}\n");
  EXPECT_EQ(done.out, R"({"status":200,"id":1.50,"a":["1","2"]})"
                      "\n")
    << done.err;
  ASSERT_EQ(peer.requests().size(), 1U);
  const auto request = peer.requests()[0];
  EXPECT_THAT(request, StartsWith("PUT /v1/a/x%2Fy%20z?q=a%26b&many=1&many=2 HTTP/1.1\r\n"));
  EXPECT_THAT(request, AllOf(HasSubstr("\r\nx-id: x/y z\r\n"),
                             HasSubstr("\r\ncontent-type: application/json\r\n"),
                             HasSubstr("\r\n\r\n{\"id\":\"x/y z\"}")));
}

TEST_F(HttpRequestTest, KeepsConnectionsForTheNextRequest) {
  Peer peer{[](int, const std::string&) { return answer(200, "1", json); }};
  std::string input;
  for (int i = 0; i < 200; ++i)
    input += "{}\n";
  const auto done = run(peer.url(), "path: /, response: {n: $.body}", input, ", maxCalls: 4");
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(peer.requests().size(), 200U);
  EXPECT_LE(peer.connections(), 4);
}

TEST_F(HttpRequestTest, TriesAgainWhatMayBeTriedAgain) {
  Peer peer{[](int number, const std::string&) {
    return number == 1   ? answer(503, {}, "Retry-After: 0\r\n")
           : number == 2 ? std::string{}
                         : answer(200, "\"ok\"", json);
  }};
  const auto done = run(peer.url(), "path: /, retry: {base: 1ms}, response: {got: $.body}");
  EXPECT_EQ(done.out, "{\"got\":\"ok\"}\n") << done.err;
  EXPECT_EQ(peer.requests().size(), 3U);
}

TEST_F(HttpRequestTest, DoesNotPostTwiceWhatMayHaveArrived) {
  Peer peer{[](int, const std::string&) { return std::string{}; }};
  const auto done = run(peer.url(), "method: POST, path: /, body: 1, retry: {base: 1ms}");
  EXPECT_NE(done.code, 0);
  EXPECT_EQ(peer.requests().size(), 1U);
  EXPECT_THAT(done.err, HasSubstr("POST / at server 'peer' failed"));
}

TEST_F(HttpRequestTest, SaysWhichStatusItWasAndTakesThoseThatAreAccepted) {
  Peer peer{[](int, const std::string&) { return answer(404, "{\"why\":\"gone\"}", json); }};
  const auto failed = run(peer.url(), "path: /x");
  EXPECT_NE(failed.code, 0);
  EXPECT_THAT(failed.err, HasSubstr("GET /x at server 'peer' was answered 404 Not Found"));
  const auto taken = run(peer.url(), "path: /x, accept: [4xx], response: {s: $.status}");
  EXPECT_EQ(taken.out, "{\"s\":404}\n");
  const auto matched = run(peer.url(), "path: /x, onError: {match: ['404'], then: skip}");
  EXPECT_EQ(matched.code, 0) << matched.err;
}

TEST_F(HttpRequestTest, GivesUpInTime) {
  Peer peer{[](int, const std::string&) { return Peer::silence; }};
  const auto began = std::chrono::steady_clock::now();
  const auto done = run(peer.url(),
                        "path: /, tryTimeout: 100ms, totalTimeout: 400ms, retry: {base: 1ms, "
                        "attempts: 100}");
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("no answer in time"));
  EXPECT_GE(peer.requests().size(), 2U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{5});
}

TEST_F(HttpRequestTest, FollowsSomeRedirectsAndTakesCredentialsNowhereElse) {
  Peer stranger{[](int, const std::string&) { return answer(200, "\"there\"", json); }};
  Peer peer{[&](int, const std::string& request) {
    if (request.starts_with("POST /start"))
      return answer(303, {}, "Location: /next\r\n");
    return answer(302, {}, "Location: " + stranger.url() + "/there\r\n");
  }};
  const auto done = run(
    peer.url(), "method: POST, path: /start, body: 1, response: {got: $.body}", "{}\n",
    ", securitySchemes: {k: {type: apiKey, name: X-Key, key: '${ENV:SECRET}'}}");
  EXPECT_EQ(done.out, "{\"got\":\"there\"}\n") << done.err;
  ASSERT_EQ(peer.requests().size(), 2U);
  EXPECT_THAT(peer.requests()[1],
              AllOf(StartsWith("GET /next "), HasSubstr("x-key: s3cr3t-t0-n0body")));
  ASSERT_EQ(stranger.requests().size(), 1U);
  EXPECT_THAT(stranger.requests()[0], Not(HasSubstr("s3cr3t")));
}

TEST_F(HttpRequestTest, FollowsNoRedirectsToFilesAndNoCircles) {
  Peer file{
    [](int, const std::string&) { return answer(302, {}, "Location: file:///etc/passwd\r\n"); }};
  const auto refused = run(file.url(), "path: /");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("a redirect to something else than http or https"));
  EXPECT_THAT(refused.out, Not(HasSubstr("root")));
  Peer circle{[](int, const std::string&) { return answer(302, {}, "Location: /\r\n"); }};
  const auto ended = run(circle.url(), "path: /, redirects: 3");
  EXPECT_THAT(ended.err, HasSubstr("more than 3 redirects"));
  EXPECT_EQ(circle.requests().size(), 4U);
  const auto taken = run(circle.url(), "path: /, redirects: 0, response: {s: $.status}");
  EXPECT_EQ(taken.out, "{\"s\":302}\n");
}

TEST_F(HttpRequestTest, BoundsResponsesAlsoEndlessAndPackedOnes) {
  Peer endless{[](int, const std::string&) {
    return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(3'000'000, 'a');
  }};
  EXPECT_THAT(run(endless.url(), "path: /, maxResponse: 1MiB").err,
              HasSubstr("the response is longer than maxResponse"));
  Peer bomb{[](int, const std::string&) {
    return answer(200, http::gzip(std::string(5'000'000, 'a')), "Content-Encoding: gzip\r\n");
  }};
  EXPECT_THAT(run(bomb.url(), "path: /, maxResponse: 1MiB").err,
              HasSubstr("the response is longer than maxResponse"));
  Peer headers{[](int, const std::string&) {
    return "HTTP/1.1 200 OK\r\nX: " + std::string(90'000, 'a') + "\r\nY: "
           + std::string(90'000, 'a') + "\r\nZ: " + std::string(90'000, 'a') + "\r\n\r\n";
  }};
  EXPECT_NE(run(headers.url(), "path: /").code, 0);
}

TEST_F(HttpRequestTest, SaysWhatIsWrongWithAResponseOrAServer) {
  Peer broken{[](int, const std::string&) { return answer(200, "{oops", json); }};
  EXPECT_THAT(run(broken.url(), "path: /").err,
              HasSubstr("the response of server 'peer' cannot be read"));
  const auto done = run("http://127.0.0.1:1", "path: /, retry: {base: 1ms}");
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("is the server running, and the address right?"));
}

TEST_F(HttpRequestTest, ShowsItsCredentials) {
  Peer peer{[](int, const std::string&) { return answer(200, "1", json); }};
  const auto header_of = [&](const std::string& scheme) {
    const auto done = run(peer.url(), "path: /", "{}\n", ", securitySchemes: {s: " + scheme + "}");
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, Not(HasSubstr("s3cr3t")));
    return peer.requests().back();
  };
  EXPECT_THAT(header_of("{type: basic, username: ada, password: lovelace}"),
              HasSubstr("authorization: Basic YWRhOmxvdmVsYWNl\r\n"));
  EXPECT_THAT(header_of("{type: bearer, token: '${ENV:SECRET}'}"),
              HasSubstr("authorization: Bearer s3cr3t-t0-n0body\r\n"));
  EXPECT_THAT(header_of("{type: apiKey, in: query, name: k, key: 'a&b'}"),
              StartsWith("GET /?k=a%26b "));
}

TEST_F(HttpRequestTest, FetchesATokenOnceForAllAndAnewWhenItIsRefused) {
  std::atomic<int> fetched{0};
  Peer peer{[&](int, const std::string& request) {
    if (request.starts_with("POST /token")) {
      return answer(200,
                    "{\"access_token\":\"t" + std::to_string(++fetched)
                      + "\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                    json);
    }
    return request.find("Bearer t1\r\n") != std::string::npos && fetched == 1
               && request.starts_with("GET /last")
             ? answer(401)
             : answer(200, "1", json);
  }};
  std::string input;
  for (int i = 0; i < 50; ++i)
    input += "{\"p\":\"/a\"}\n";
  const auto done = run(peer.url(), "path: '${$.in.p}', response: {n: $.body}", input,
                        ", securitySchemes: {o: {type: oauth2, tokenUrl: '" + peer.url()
                          + "/token', clientId: 'a:b', clientSecret: '${ENV:SECRET}', scopes: [x, "
                            "'y z']}}");
  // A template for a url encodes what it puts in, a slash too; and nothing climbs.
  EXPECT_THAT(run(peer.url(), "path: '/a/${$.in.p}/b'", "{\"p\":\"..\"}\n").err,
              HasSubstr("'path' holds a segment '.' or '..'"));
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, HasSubstr("'path' gives no text with a slash in front"));

  const auto asked = run(peer.url(), "path: '/${$.in.p}', response: {n: $.body}",
                         "{\"p\":\"a\"}\n{\"p\":\"b\"}\n{\"p\":\"last\"}\n",
                         ", securitySchemes: {o: {type: oauth2, tokenUrl: '" + peer.url()
                           + "/token', clientId: 'a:b', clientSecret: '${ENV:SECRET}', scopes: [x, "
                             "'y z']}}");
  EXPECT_EQ(asked.code, 0) << asked.err;
  EXPECT_EQ(asked.out, "{\"n\":1}\n{\"n\":1}\n{\"n\":1}\n");
  EXPECT_EQ(fetched, 2) << "one for all, and one more where it was refused";
  std::string token;
  for (const auto& request : peer.requests()) {
    if (request.starts_with("POST /token"))
      token = request;
  }
  EXPECT_THAT(token, HasSubstr("grant_type=client_credentials&scope=x%20y%20z"));
  EXPECT_THAT(asked.err, Not(HasSubstr("s3cr3t")));
}

TEST_F(HttpRequestTest, SaysWhyThereIsNoToken) {
  Peer peer{[&](int, const std::string&) { return answer(400, "{\"error\":\"invalid_client\"}"); }};
  const auto done = run(peer.url(), "path: /", "{}\n",
                        ", securitySchemes: {o: {type: oauth2, tokenUrl: '" + peer.url()
                          + "/token', clientId: a, clientSecret: '${ENV:SECRET}'}}");
  EXPECT_NE(done.code, 0);
  EXPECT_THAT(done.err, AllOf(HasSubstr("no token for the security scheme 'o': the token server "
                                        "answered 400"),
                              Not(HasSubstr("s3cr3t"))));
}

TEST_F(HttpRequestTest, PassesTheTraceOnAndAnswersWhatItWasAnswered) {
  Peer peer{[](int, const std::string&) { return answer(503); }};
  Service service{"  - {name: in, type: http, operation: receive, server: api, method: GET, path: "
                  "/}\n"
                  "  - {name: ask, type: http, operation: request, server: peer, path: /, retry: "
                  "{attempts: 1}}\n",
                  "}\n  peer: {protocol: http, url: '" + peer.url() + "'"};
  Client client{service.port()};
  const auto reply = client.ask(request(
    "GET", "/", {}, "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"));
  EXPECT_EQ(reply.status, 503);
  ASSERT_GE(peer.requests().size(), 1U);
  EXPECT_THAT(peer.requests()[0],
              AllOf(HasSubstr("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-"),
                    Not(HasSubstr("00f067aa0ba902b7"))));
}

TEST_F(HttpRequestTest, GoesThroughAProxy) {
  Peer proxy{[](int, const std::string&) { return answer(200, "\"by proxy\"", json); }};
  const auto file = scratch_.write(
    "p.yaml",
    "servers:\n  peer: {protocol: http, url: 'http://elsewhere.invalid', proxy: '" + proxy.url()
      + "'}\nname: trial\nsteps:\n  - {name: in, type: stdin}\n  - {name: ask, type: http, "
        "operation: request, path: /x, response: {got: $.body}}\n  - {type: stdout}\n");
  const auto done = millrace({"run", "--once", file}, "{}\n");
  EXPECT_EQ(done.out, "{\"got\":\"by proxy\"}\n") << done.err;
  EXPECT_THAT(proxy.requests().at(0), StartsWith("GET http://elsewhere.invalid/x HTTP/1.1"));
}

TEST_F(HttpRequestTest, NamesEveryMistake) {
  const auto done = run("http://a/b?c", "method: 'G T', headers: {'a b': 1}, accept: [4x], "
                                        "redirects: 99, retry: {statuses: [200], attempts: 0}");
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("'url' must be"), HasSubstr("'method' must be the name"),
                    HasSubstr("needs the option 'path'"), HasSubstr("names of headers"),
                    HasSubstr("'accept' must be"), HasSubstr("'redirects' must be 50 or less"),
                    HasSubstr("'statuses' must be"), HasSubstr("'attempts' must be")));
}

// --- pure

using std::chrono::milliseconds;

TEST(RetryPlanTest, DecidesByMethodStatusAndTime) {
  http::CallRules rules;
  rules.attempts = 3;
  rules.timeout = milliseconds{10'000};
  http::RetryPlan get{rules, "GET", 1};
  http::RetryPlan post{rules, "POST", 1};
  using http::CallFailure;
  EXPECT_TRUE(get.after(CallFailure::timeout, 1, {}));
  EXPECT_FALSE(post.after(CallFailure::timeout, 1, {}));
  EXPECT_TRUE(post.is_unknown(CallFailure::timeout));
  EXPECT_TRUE(post.after(CallFailure::unreachable, 1, {}));
  EXPECT_FALSE(get.after(CallFailure::timeout, 3, {})) << "attempts";
  EXPECT_FALSE(get.after(CallFailure::timeout, 1, rules.timeout)) << "time";
  EXPECT_FALSE(get.after(CallFailure::not_trusted, 1, {}));
  const auto now = std::chrono::system_clock::now();
  EXPECT_TRUE(post.after({.status = 503, .headers = {}, .body = {}}, 1, {}, now));
  EXPECT_FALSE(post.after({.status = 502, .headers = {}, .body = {}}, 1, {}, now));
  EXPECT_TRUE(get.after({.status = 502, .headers = {}, .body = {}}, 1, {}, now));
  EXPECT_FALSE(get.after({.status = 500, .headers = {}, .body = {}}, 1, {}, now));
  const auto asked = get.after({.status = 503, .headers = {{"retry-after", "3"}}, .body = {}}, 1,
                               {}, now);
  EXPECT_EQ(asked, milliseconds{3000});
  EXPECT_FALSE(
    get.after({.status = 503, .headers = {{"retry-after", "60"}}, .body = {}}, 1, {}, now))
    << "later than the call may take";
}

TEST(RetryPlanTest, ReadsRetryAfterInBothForms) {
  const auto now = std::chrono::system_clock::from_time_t(784'111'777);
  EXPECT_EQ(http::parse_retry_after("120", now), milliseconds{120'000});
  EXPECT_EQ(http::parse_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", now), milliseconds{10'000});
  EXPECT_EQ(http::parse_retry_after("Sun, 06 Nov 1994 08:49:27 GMT", now), milliseconds{0});
  for (const char* bad : {"", "soon", "-1", "1.5"})
    EXPECT_FALSE(http::parse_retry_after(bad, now)) << bad;
}

TEST(CourierTest, KnowsWhatIsTheSameOrigin) {
  EXPECT_TRUE(http::is_same_origin("http://a/x", "http://A:80/y?z"));
  EXPECT_TRUE(http::is_same_origin("https://a", "https://a:443/"));
  EXPECT_FALSE(http::is_same_origin("https://a", "http://a"));
  EXPECT_FALSE(http::is_same_origin("http://a", "http://a:8080"));
  EXPECT_FALSE(http::is_same_origin("http://a", "http://a.b"));
  EXPECT_FALSE(http::is_same_origin("", ""));
}

}  // namespace
}  // namespace millrace::test
