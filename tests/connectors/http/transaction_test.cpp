// One transaction per request: what was done for a request that is not answered with success has
// not been done.
#include "tests/connectors/http/client.hpp"
#include "tests/runtime/millrace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr const char* database = "}\n  db: {protocol: database, url: 'sqlite://notes.db', init: "
                                 "'CREATE TABLE IF NOT EXISTS notes (text TEXT UNIQUE)'";

const std::string pipelines =
  "pipelines:\n"
  "  add:\n"
  "    steps:\n"
  "      - {name: in, type: http, operation: receive, server: api, method: POST, path: /notes, "
  "transaction: db, timeout: 400ms}\n"
  "      - {type: fail, when: \"$.in.query.how == 'early'\", message: not at all}\n"
  "      - {name: one, type: database, operation: insert, server: db, table: notes, values: "
  "{text: $.in.body.first}}\n"
  "      - {type: delay, for: 1s, when: \"$.in.query.how == 'slow'\"}\n"
  "      - {type: fail, when: \"$.in.query.how == 'fail'\", message: changed my mind}\n"
  "      - {name: two, type: database, operation: insert, server: db, table: notes, values: "
  "{text: $.in.body.second}}\n"
  "      - {name: refuse, type: http, operation: respond, status: 403, when: \"$.in.query.how == "
  "'respond'\", body: {no: true}}\n"
  "      - {name: created, type: http, operation: respond, status: 201, body: {ok: true}}\n"
  "  list:\n"
  "    steps:\n"
  "      - {name: in, type: http, operation: receive, server: api, method: GET, path: /notes}\n"
  "      - {name: all, type: database, operation: executeSql, server: db, query: 'SELECT text "
  "FROM notes ORDER BY text', parameters: [], response: {texts: {path: '$.rows[*].text', all: "
  "true}}}\n";

class HttpTransactionTest : public testing::Test {
protected:
  HttpTransactionTest() : service_{pipelines, database}, client_{service_.port()} {}

  Reply add(const std::string& first, const std::string& second, const std::string& how = {}) {
    return client_.ask(request("POST", "/notes?how=" + how,
                               "{\"first\":\"" + first + "\",\"second\":\"" + second + "\"}"));
  }

  std::string notes() {
    Client client{service_.port()};
    return client.ask(request("GET", "/notes")).body;
  }

  Service service_;
  Client client_;
};

TEST_F(HttpTransactionTest, CommitsBeforeASuccessIsAnswered) {
  EXPECT_EQ(add("a", "b").status, 201);
  EXPECT_EQ(notes(), R"({"texts":["a","b"]})");
}

TEST_F(HttpTransactionTest, UndoesWhatWasDoneForAnAnswerThatIsAnError) {
  const auto refused = add("a", "b", "respond");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.body, "{\"no\":true}");
  EXPECT_EQ(add("a", "b", "fail").status, 422);
  EXPECT_EQ(add("a", "b", "early").status, 422);
  EXPECT_EQ(add("a", "a").status, 409) << "the second one breaks a constraint";
  EXPECT_EQ(notes(), R"({"texts":[]})");
  EXPECT_EQ(add("a", "b").status, 201) << "nothing is left of the others";
}

TEST_F(HttpTransactionTest, UndoesWhatTookTooLong) {
  EXPECT_EQ(add("a", "b", "slow").status, 504);
  // Whoever writes the same has to wait until that one has been undone.
  Reply reply;
  const auto deadline = Clock::now() + std::chrono::seconds{20};
  while (reply.status != 201 && Clock::now() < deadline)
    reply = add("a", "c");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(notes(), R"({"texts":["a","c"]})");
}

TEST_F(HttpTransactionTest, UndoesWhatNobodyWaitsForAnyMore) {
  Client gone{service_.port()};
  gone.send(request("POST", "/notes?how=slow", R"({"first":"a","second":"b"})"));
  gone.half_close();
  const auto reply = gone.read();
  EXPECT_GE(reply.status, 500) << "who only closed its sending side is not told of a success";
  Reply next;
  const auto deadline = Clock::now() + std::chrono::seconds{20};
  while (next.status != 201 && Clock::now() < deadline)
    next = add("a", "c");
  EXPECT_EQ(notes(), R"({"texts":["a","c"]})");
}

TEST(HttpTransactionConfigTest, SaysWhereItCannotBe) {
  const Scratch scratch;
  const auto validate = [&](const std::string& steps) {
    return millrace({"validate",
                     scratch.write(
                       "p.yaml", "servers:\n  api: {protocol: http, url: 'http://a'}\n  db: {url: "
                                 "'sqlite::memory:'}\nname: t\nsteps:\n  - {name: in, type: http, "
                                 "operation: receive, method: GET, path: /, transaction: "
                                   + steps)})
      .err;
  };
  EXPECT_THAT(validate("db}\n  - {type: drop}\n"),
              HasSubstr("no step of this pipeline uses a database"));
  EXPECT_THAT(validate("dbb}\n  - {name: q, type: database, operation: executeSql, server: db, "
                       "query: SELECT 1, parameters: []}\n"),
              HasSubstr("there is no server 'dbb'"));
}

}  // namespace
}  // namespace millrace::test
