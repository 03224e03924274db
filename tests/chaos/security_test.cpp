// Certificates, passwords, and where they come from: a server of its own with TLS and SCRAM.
#include "tests/actors/db/drivers.hpp"
#include "tests/actors/db/pool_fixture.hpp"
#include "tests/support/scratch.hpp"

#include <sys/stat.h>

namespace millrace::actors {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;

class PostgresSecurityTest : public testing::Test {
protected:
  void SetUp() override {
    if (test::PostgresServer::shared() == nullptr)
      GTEST_SKIP() << test::PostgresServer::why_not();
    server_ = std::make_unique<test::PostgresServer>("/tmp/millrace-pg-tls-"
                                                     + std::to_string(getpid()));
    // An authority, and a certificate of it for db.test; another authority that signed nothing.
    for (const std::string name : {"ca", "other"})
      ASSERT_TRUE(server_->run_in_folder(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=millrace-"
        + name + " -keyout " + name + ".key -out " + name + ".crt"));
    ASSERT_TRUE(server_->run_in_folder(
      "openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=db.test "
      "-keyout server.key -out server.csr && echo subjectAltName=DNS:db.test > san.txt && openssl "
      "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile san.txt "
      "-out server.crt && chmod 600 server.key"));
    server_->configure("ssl = on\nssl_cert_file = '" + file("server.crt") + "'\nssl_key_file = '"
                       + file("server.key") + "'\n");
    server_->admit("hostssl all guarded 127.0.0.1/32 scram-sha-256\n"
                   "host all guarded 127.0.0.1/32 reject\n");
    auto admin = postgres_case(*server_);
    admin_ = std::make_unique<PoolFixture>(admin.settings, *admin.driver);
    ASSERT_TRUE(admin_->run("CREATE ROLE guarded LOGIN PASSWORD 'first-secret'"));
    ASSERT_TRUE(server_->reload());
    while (admin_->rows("SELECT current_setting('ssl') AS ssl").items()[0].find("ssl")->as_string()
           != "on")
      std::this_thread::yield();
    driver_ = admin.driver;
  }

  std::string file(const std::string& name) const { return server_->folder() + "/" + name; }

  // By address and by the name that the certificate has: no name server is needed.
  sdk::DatabaseSettings guarded(const std::string& password, const std::string& host = "db.test",
                                const std::string& authority = "ca") const {
    sdk::DatabaseSettings settings;
    settings.name = "guarded";
    settings.driver = "postgres";
    settings.hosts = {{host, server_->port()}};
    settings.user = "guarded";
    settings.password = sdk::Secret{password};
    settings.dbname = "postgres";
    settings.connect_timeout = 5s;
    settings.parameters = {{"hostaddr", "127.0.0.1"},
                           {"sslmode", "verify-full"},
                           {"sslrootcert", file(authority + ".crt")}};
    return settings;
  }

  sdk::Result<sdk::SqlResult> ask(const sdk::DatabaseSettings& settings) {
    PoolFixture pool{settings, *driver_};
    return pool.run("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  }

  std::unique_ptr<test::PostgresServer> server_;
  std::unique_ptr<PoolFixture> admin_;
  const sdk::DatabaseDriver* driver_ = nullptr;
};

TEST_F(PostgresSecurityTest, TrustsTheServerOfItsCertificateAlone) {
  const auto good = ask(guarded("first-secret"));
  ASSERT_TRUE(good) << good.error().to_string();
  EXPECT_TRUE(good->rows.items()[0].find("ssl")->as_boolean());

  for (const auto& settings :
       {guarded("first-secret", "other.test"), guarded("first-secret", "db.test", "other")}) {
    const auto refused = ask(settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::connection) << refused.error().to_string();
    EXPECT_EQ(refused.error().to_string().find("first-secret"), std::string::npos);
  }
}

TEST_F(PostgresSecurityTest, TakesPasswordsFromWhereTheyAreAndAsTheyChange) {
  const auto wrong = ask(guarded("wrong-secret"));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), "28P01") << wrong.error().to_string();
  EXPECT_FALSE(wrong.error().retryable());
  EXPECT_EQ(wrong.error().to_string().find("wrong-secret"), std::string::npos);

  const test::Scratch scratch;
  const auto pass = [&](const std::string& password) {
    const auto path = scratch.write("pgpass", "db.test:*:*:guarded:" + password + "\n");
    ::chmod(path.c_str(), 0600);
    return path;
  };
  auto settings = guarded("");
  settings.parameters.emplace_back("passfile", pass("first-secret"));
  settings.pool.min_size = 2;
  PoolFixture pool{settings, *driver_};
  ASSERT_TRUE(pool.run("SELECT 1"));

  // Rotated: those who are in stay in; the next connection takes the new one, without a restart.
  ASSERT_TRUE(admin_->run("ALTER ROLE guarded PASSWORD 'second-secret'"));
  pass("second-secret");
  ASSERT_TRUE(pool.run("SELECT 1"));
  ASSERT_TRUE(admin_->run(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded'"));
  const auto again = pool.run("SELECT 1");
  EXPECT_TRUE(again) << again.error().to_string();

  // The same with `password: ${FILE:…}`.
  auto by_file = guarded("");
  by_file.password = sdk::Secret{"stale", scratch.write("password", "second-secret\n")};
  by_file.pool.min_size = 2;
  PoolFixture reread{by_file, *driver_};
  ASSERT_TRUE(reread.run("SELECT 1"));
  scratch.write("password", "third-secret\n");
  ASSERT_TRUE(admin_->run("ALTER ROLE guarded PASSWORD 'third-secret'"));
  ASSERT_TRUE(admin_->run(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded'"));
  const auto reconnected = reread.run("SELECT 1");
  EXPECT_TRUE(reconnected) << reconnected.error().to_string();

  // A service file names the server, the socket's folder, everything.
  const auto services = scratch.write("services", "[orders]\nhost=" + server_->host()
                                                    + "\nport=" + std::to_string(server_->port())
                                                    + "\nuser=postgres\ndbname=postgres\n");
  ::setenv("PGSERVICEFILE", services.c_str(), 1);
  sdk::DatabaseSettings service;
  service.name = "service";
  service.driver = "postgres";
  service.parameters = {{"service", "orders"}};
  PoolFixture by_service{service, *driver_};
  const auto served = by_service.run("SELECT 1");
  EXPECT_TRUE(served) << served.error().to_string();
  ::unsetenv("PGSERVICEFILE");
}

}  // namespace
}  // namespace millrace::actors
