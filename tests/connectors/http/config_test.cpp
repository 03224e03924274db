// What `servers:` and the steps may say about HTTP, and what a mistake is told.
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class HttpConfigTest : public testing::Test {
protected:
  Finished validate(const std::string& server, const std::string& pipelines) {
    const auto file = scratch_.write("p.yaml",
                                     "servers:\n  api: " + server + "\npipelines:\n" + pipelines);
    auto launch = millrace_launch({"validate", file});
    launch.environment = {{"PLANTED", "kn0wn-t0-n0body"}};
    return run_process(launch);
  }

  static constexpr const char* plain_server = "{protocol: http, url: 'http://0.0.0.0:8080'}";

  static std::string pipeline(const std::string& name, const std::string& source,
                              const std::string& step = "{type: drop}") {
    return "  " + name + ": {steps: [{name: in, type: http, operation: receive, " + source + "}, "
           + step + "]}\n";
  }

  Scratch scratch_;
};

TEST_F(HttpConfigTest, NamesEveryMistakeOfAServerAtItsPlace) {
  const auto done = validate("{protocol: http, url: 'ftp://x', idletimeout: 1s, maxHead: 1, "
                             "maxConnections: 0}",
                             pipeline("a", "method: GET, path: /"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("p.yaml:2:"), HasSubstr("'url' must be http:// or https://"),
                    HasSubstr("has no option 'idletimeout'"), HasSubstr("idleTimeout"),
                    HasSubstr("'maxHead' must be 256 bytes to 1MiB"),
                    HasSubstr("'maxConnections' must be 1 or more")));
}

TEST_F(HttpConfigTest, NamesEveryMistakeOfARoute) {
  const auto done = validate(plain_server,
                             pipeline("a", "method: 'G T', path: orders, timeout: 0ms, format: xml")
                               + pipeline("b", "method: GET, path: '/x/{id}/{id}'")
                               + pipeline("c", "method: GET, path: '/x{id}'")
                               + pipeline("d", "path: '/x?y=1'"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err,
              AllOf(HasSubstr("'method' must be names of methods"),
                    HasSubstr("a path begins with a slash"),
                    HasSubstr("'timeout' must be longer than 0ms"), HasSubstr("'format'"),
                    HasSubstr("'id' comes twice"), HasSubstr("a parameter is a whole segment"),
                    HasSubstr("needs the option 'method'"), HasSubstr("a path has no query")));
}

TEST_F(HttpConfigTest, RefusesTheSameRouteTwiceAndShowsBothPlaces) {
  const auto done = validate(plain_server, pipeline("a", "methods: [GET, PUT], path: '/x/{id}'")
                                             + pipeline("b", "method: PUT, path: '/x/{name}'"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("p.yaml:5:"), HasSubstr("PUT /x/{} is taken already"),
                              HasSubstr("p.yaml:4:")));
}

TEST_F(HttpConfigTest, TakesRespondOnlyWhereARequestWasReceived) {
  const auto done = validate(plain_server,
                             "  a: {steps: [{type: stdin}, {name: reply, type: http, operation: "
                             "respond}]}\n");
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err,
              HasSubstr("'reply' answers what {type: http, operation: receive} takes in"));
}

TEST_F(HttpConfigTest, RefusesHeadersThatAreNone) {
  const auto done = validate(
    plain_server,
    pipeline("a", "method: GET, path: /", "{type: http, operation: respond, headers: {'a b': 1}}"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, HasSubstr("names of headers"));
}

TEST_F(HttpConfigTest, ExplainsWhatAnAnswerMeans) {
  const auto file = scratch_.write("p.yaml", std::string{"servers:\n  api: "} + plain_server
                                               + "\npipelines:\n"
                                               + pipeline("a", "method: GET, path: /"));
  const auto done = millrace({"explain", file});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("guarantee: each record is answered"));
}

TEST_F(HttpConfigTest, DoesNotTakeTheCredentialsOfAnotherProtocol) {
  const auto done = validate("{protocol: http, url: 'http://0.0.0.0:8080', securitySchemes: {s: "
                             "{type: scramSha256, username: a, password: '${ENV:PLANTED}'}}}",
                             pipeline("a", "method: GET, path: /"));
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("http servers take no scheme of type scramSha256"),
                              Not(HasSubstr("kn0wn-t0-n0body"))));
}

}  // namespace
}  // namespace millrace::test
