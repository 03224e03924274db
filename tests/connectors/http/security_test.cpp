// Who may ask, over which connection: TLS with certificates of an authority of the test's own,
// security schemes, and compressed bodies. curl is the client.
#include "connectors/http/gzip.hpp"
#include "connectors/sdk/base64.hpp"
#include "tests/connectors/http/client.hpp"
#include "tests/connectors/http/peer.hpp"
#include "tests/runtime/millrace.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

namespace millrace::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* who = "  - {name: in, type: http, operation: receive, method: GET, path: /}\n"
                            "  - {name: out, type: transform, set: {user: $.meta.in.user, name: "
                            "$.meta.in.clientCertificate, sent: $.in.headers.authorization, key: "
                            "$.in.headers.x-key}}\n";

// --- schemes

TEST(HttpSecurityTest, LetsInWhoShowsOneOfTheCredentials) {
  Service service{who, ", security: [user, token, key]",
                  "securitySchemes:\n"
                  "  user: {type: basic, username: ada, password: 'pass:word'}\n"
                  "  token: {type: bearer, token: t0ken}\n"
                  "  key: {type: apiKey, name: X-Key, in: header, key: k3y}\n"};
  Client client{service.port()};
  const auto ask = [&](const std::string& header) {
    return client.ask(request("GET", "/", {}, header));
  };
  EXPECT_EQ(ask("Authorization: Basic " + sdk::to_base64("ada:pass:word") + "\r\n").body,
            R"({"user":"ada","name":null,"sent":null,"key":null})");
  EXPECT_EQ(ask("authorization: bearer t0ken\r\n").body,
            R"({"user":"token","name":null,"sent":null,"key":null})");
  EXPECT_EQ(ask("X-Key: k3y\r\n").body, R"({"user":"key","name":null,"sent":null,"key":null})");
  for (const std::string& wrong :
       {std::string{}, "Authorization: Basic " + sdk::to_base64("ada:wrong") + "\r\n",
        "Authorization: Basic " + sdk::to_base64("ada") + "\r\n",
        std::string{"Authorization: Basic !!!\r\n"}, std::string{"Authorization: Basic\r\n"},
        std::string{"Authorization: Bearer t0ke\r\n"}, std::string{"Authorization: Bearer \r\n"},
        std::string{"X-Key: \r\n"}, std::string{"X-Key: t0ken\r\n"}}) {
    const auto reply = ask(wrong);
    EXPECT_EQ(reply.status, 401) << wrong;
    EXPECT_NE(reply.headers.find("www-authenticate"), reply.headers.end());
  }
  EXPECT_EQ(client.ask(request("GET", "/nowhere")).status, 404);
}

TEST(HttpSecurityTest, TakesKeysFromQueriesAndCookies) {
  Service service{
    who, ", securitySchemes: {a: {type: apiKey, in: query, name: k, key: 'a b'}, b: {type: "
         "httpApiKey, in: cookie, name: sid, key: s1}}"};
  Client client{service.port()};
  EXPECT_EQ(client.ask(request("GET", "/?k=a%20b")).status, 200);
  EXPECT_EQ(client.ask(request("GET", "/?k=a%20c")).status, 401);
  EXPECT_EQ(client.ask(request("GET", "/", {}, "Cookie: x=1; sid=s1; y=2\r\n")).status, 200);
  EXPECT_EQ(client.ask(request("GET", "/", {}, "Cookie: sid=s12\r\n")).status, 401);
}

TEST(HttpSecurityTest, SaysWhatASchemeLacks) {
  const Scratch scratch;
  const auto file = scratch.write(
    "p.yaml", "servers:\n  api: {protocol: http, url: 'http://a', securitySchemes: {a: {type: "
              "bearer}, b: {type: apiKey, key: planted}, c: {type: oauth2, clientId: x}}}\n");
  const auto done = millrace({"validate", file});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, AllOf(HasSubstr("a scheme of type bearer needs 'token'"),
                              HasSubstr("a scheme of type apiKey needs 'name'"),
                              HasSubstr("a scheme of type oauth2 needs 'tokenUrl'"),
                              Not(HasSubstr("planted"))));
}

// --- gzip

TEST(HttpGzipTest, PacksLongAnswersForWhoTakesThemAndUnpacksBodies) {
  Service service{"  - {name: in, type: http, operation: receive, method: POST, path: /, format: "
                  "text, maxBody: 100KiB}\n"
                  "  - {name: out, type: transform, set: {got: $.in.body}}\n"};
  Client client{service.port()};
  const std::string text(50'000, 'a');
  const auto reply = client.ask(
    request("POST", "/", http::gzip(text),
            "Content-Encoding: gzip\r\nAccept-Encoding: br, gzip;q=0.5\r\n"));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(reply.headers.at("vary"), "Accept-Encoding");
  std::string unpacked;
  EXPECT_EQ(http::gunzip(reply.body, 1'000'000, unpacked), http::Inflated::yes);
  EXPECT_EQ(unpacked, "{\"got\":\"" + text + "\"}");
  const auto refused = client.ask(
    request("POST", "/", text, "Accept-Encoding: gzip;q=0.0, deflate\r\n"));
  EXPECT_EQ(refused.headers.count("content-encoding"), 0U);
  const auto brotli = client.ask(request("POST", "/", {}, "Content-Encoding: br\r\n"));
  EXPECT_EQ(brotli.status, 415);
  EXPECT_EQ(brotli.headers.at("accept-encoding"), "gzip");
}

TEST(HttpGzipTest, RefusesBombsAndWhatIsNone) {
  Service service{"  - {name: in, type: http, operation: receive, method: POST, path: /, format: "
                  "text, maxBody: 100KiB}\n"
                  "  - {type: drop}\n"};
  const auto ask = [&](const std::string& body) {
    Client client{service.port()};
    return client.ask(request("POST", "/", body, "Content-Encoding: gzip\r\n")).status;
  };
  EXPECT_EQ(ask(http::gzip(std::string(10'000'000, 'a'))), 413);
  EXPECT_EQ(ask("no gzip"), 400);
  EXPECT_EQ(ask(http::gzip("cut off").substr(0, 12)), 400);
  EXPECT_EQ(ask(http::gzip("two") + http::gzip(" members")), 200);
}

// --- TLS

class HttpTlsTest : public testing::Test {
protected:
  void SetUp() override {
    const std::string key = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
    std::string script = "cd " + certificates_.path({}) + " && set -e;";
    for (const std::string name : {"ca", "other"})
      script += "openssl req -x509" + key + "-days 2 -subj /CN=" + name + " -keyout " + name
                + ".key -out " + name + ".crt;";
    script += "echo subjectAltName=IP:127.0.0.1 > san.txt;";
    const auto sign = [&](const std::string& name, const std::string& by, const std::string& days) {
      script += "openssl req" + key + "-subj /CN=" + name + " -keyout " + name + ".key -out " + name
                + ".csr; openssl x509 -req -in " + name + ".csr -CA " + by + ".crt -CAkey " + by
                + ".key -CAcreateserial -days " + days + " -extfile san.txt -out " + name + ".crt;";
    };
    sign("server", "ca", "2");
    sign("ada", "ca", "2");
    sign("late", "ca", "-1");
    sign("stranger", "other", "2");
    const auto made = run_process({.arguments = {"/bin/bash", "-c", script}});
    ASSERT_EQ(made.code, 0) << made.err;
  }

  std::string file(const std::string& name) const { return certificates_.path(name); }

  std::string tls(const std::string& more = {}) const {
    return ", tls: {certificate: '" + file("server.crt") + "', key: '" + file("server.key") + "'"
           + more + "}";
  }

  Finished curl(const Service& service, std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/curl", "-sS", "--max-time", "10", "--cacert", file("ca.crt")});
    arguments.push_back("https://127.0.0.1:" + std::to_string(service.port()) + "/");
    return run_process({.arguments = std::move(arguments)});
  }

  std::vector<std::string> as(const std::string& name) const {
    return {"--cert", file(name + ".crt"), "--key", file(name + ".key")};
  }

  Scratch certificates_;
};

TEST_F(HttpTlsTest, ServesOverTlsOfToday) {
  Service service{who, tls(), {}, "https"};
  EXPECT_EQ(curl(service).out, R"({"user":null,"name":null,"sent":null,"key":null})");
  EXPECT_NE(curl(service, {"--tls-max", "1.1"}).code, 0);
  EXPECT_EQ(curl(service, {"--tls-max", "1.2"}).code, 0);
  Client plain{service.port()};
  EXPECT_EQ(plain.ask(request("GET", "/")).status, 0);
  EXPECT_TRUE(plain.is_closed());
}

TEST_F(HttpTlsTest, AsksClientsForACertificateOfItsAuthority) {
  Service service{who, tls(", ca: '" + file("ca.crt") + "', clientAuth: required"), {}, "https"};
  EXPECT_THAT(curl(service, as("ada")).out, HasSubstr("\"name\":\"ada\""));
  EXPECT_NE(curl(service).code, 0);
  EXPECT_NE(curl(service, as("late")).code, 0) << "expired";
  EXPECT_NE(curl(service, as("stranger")).code, 0) << "signed by somebody else";
}

TEST_F(HttpTlsTest, ShowsARenewedCertificateWithoutARestart) {
  Service service{who, tls(), {}, "https"};
  Client kept{service.port()};
  EXPECT_EQ(curl(service).code, 0);
  EXPECT_NE(curl(service, {"--cacert", file("other.crt")}).code, 0);
  // The new certificate comes before its key, as it may: until both are there the old one is shown.
  const auto replace = [&](const std::string& suffix) {
    std::filesystem::copy_file(file("stranger" + suffix), file("new"));
    std::filesystem::rename(file("new"), file("server" + suffix));
  };
  replace(".crt");
  EXPECT_EQ(curl(service).code, 0);
  replace(".key");
  Finished done;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  do
    done = curl(service, {"--cacert", file("other.crt")});
  while (done.code != 0 && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(curl(service).code, 0) << "signed by the other authority now";
}

TEST_F(HttpTlsTest, MayLeaveTheCertificateToTheClient) {
  Service service{who, tls(", ca: '" + file("ca.crt") + "', clientAuth: optional"), {}, "https"};
  EXPECT_THAT(curl(service).out, HasSubstr("\"name\":null"));
  EXPECT_THAT(curl(service, as("ada")).out, HasSubstr("\"name\":\"ada\""));
  EXPECT_NE(curl(service, as("stranger")).code, 0);
}

TEST_F(HttpTlsTest, CutsOffWhoNeverShakesHands) {
  Service service{who, tls() + ", headTimeout: 300ms", {}, "https"};
  Client silent{service.port()};
  EXPECT_TRUE(silent.is_closed());
}

TEST_F(HttpTlsTest, RequestsTrustWhomTheyAreToldToAndShowWhoTheyAre) {
  Service service{who, tls(", ca: '" + file("ca.crt") + "', clientAuth: required"), {}, "https"};
  const Scratch scratch;
  const auto ask = [&](const std::string& host, const std::string& options) {
    const auto path = scratch.write(
      "p.yaml", "servers:\n  peer: {protocol: http, url: 'https://" + host + ":"
                  + std::to_string(service.port()) + "', tls: {" + options
                  + "}}\nname: t\nsteps:\n  - {name: in, type: stdin}\n  - {name: ask, type: http, "
                    "operation: request, path: /, retry: {attempts: 1}, response: {name: "
                    "$.body.name}}\n  - {type: stdout}\n");
    return millrace({"run", "--once", path}, "{}\n");
  };
  const std::string us = "certificate: '" + file("ada.crt") + "', key: '" + file("ada.key") + "'";
  const std::string trust = "ca: '" + file("ca.crt") + "', ";
  EXPECT_EQ(ask("127.0.0.1", trust + us).out, "{\"name\":\"ada\"}\n");
  EXPECT_EQ(ask("localhost", trust + us + ", verify: false").out, "{\"name\":\"ada\"}\n");
  const auto other_name = ask("localhost", trust + us);
  EXPECT_NE(other_name.code, 0) << "the certificate is for 127.0.0.1";
  EXPECT_THAT(other_name.err, HasSubstr("'tls' of the server says whom we trust"));
  EXPECT_NE(ask("127.0.0.1", us).code, 0) << "the system trusts no such authority";
  EXPECT_NE(ask("127.0.0.1", trust.substr(0, trust.size() - 2)).code, 0) << "without a certificate";
}

TEST_F(HttpTlsTest, RequestsSpeakHttp2WhereTheServerDoes) {
  // It speaks nothing else.
  const std::string program = "/usr/sbin/nghttpd";
  if (access(program.c_str(), X_OK) != 0)
    GTEST_SKIP() << "there is no " << program;
  certificates_.write("hello.txt", "hello over h2");
  // A port that was free a moment ago.
  const auto port = std::to_string(Peer{[](int, const std::string&) { return ""; }}.port());
  Process server{{.arguments = {program, "-v", "-a", "127.0.0.1", "-d", certificates_.path({}),
                                port, file("server.key"), file("server.crt")}}};
  ASSERT_TRUE(server.wait_for("listen 127.0.0.1:")) << server.err();
  const Scratch scratch;
  const auto path = scratch.write(
    "p.yaml", "servers:\n  peer: {protocol: http, url: 'https://127.0.0.1:" + port
                + "', tls: {ca: '" + file("ca.crt")
                + "'}}\nname: t\nsteps:\n  - {name: in, type: stdin}\n  - {name: ask, type: http, "
                  "operation: request, path: /hello.txt, response: {got: $.body}}\n  - {type: "
                  "stdout}\n");
  const auto done = millrace({"run", "--once", path}, "{}\n");
  EXPECT_EQ(done.out, "{\"got\":\"hello over h2\"}\n") << done.err;
}

TEST_F(HttpTlsTest, SaysWhichFileIsWrong) {
  const Scratch scratch;
  const auto run = [&](const std::string& certificate, const std::string& key) {
    const auto path = scratch.write(
      "p.yaml", "servers:\n  api: {protocol: http, url: 'https://127.0.0.1:0', tls: {certificate: '"
                  + certificate + "', key: '" + key + "'}}\nname: t\nsteps:\n" + who);
    return millrace({"run", path});
  };
  EXPECT_THAT(run("/nowhere.crt", file("server.key")).err,
              HasSubstr("the certificate '/nowhere.crt' cannot be used"));
  EXPECT_THAT(run(file("server.crt"), file("ada.key")).err, HasSubstr("ada.key' "));
}

TEST_F(HttpTlsTest, SaysWhatTlsNeeds) {
  const Scratch scratch;
  const auto validate = [&](const std::string& server) {
    return millrace(
             {"validate", scratch.write("p.yaml", "servers:\n  api: {protocol: http, " + server
                                                    + "}\nname: t\nsteps:\n" + who)})
      .err;
  };
  EXPECT_THAT(validate("url: 'https://a'"), HasSubstr("needs 'tls' with 'certificate' and 'key'"));
  EXPECT_THAT(validate("url: 'http://a', tls: {}"), HasSubstr("'tls' must be left out"));
  EXPECT_THAT(validate("url: 'https://a', tls: {certificate: a.crt}"),
              HasSubstr("given together with the other one"));
  EXPECT_THAT(validate("url: 'https://a', tls: {certificate: a, key: b, clientAuth: required}"),
              HasSubstr("'clientAuth' must be given together with 'ca'"));
}

}  // namespace
}  // namespace millrace::test
