#include "connectors/postgres/client/client_fixture.hpp"
#include "connectors/postgres/client/connection_factory.hpp"
#include "connectors/sdk/dsn.hpp"

namespace millrace::postgres {
namespace {

using namespace std::chrono_literals;
using sdk::ErrorKind;
using testing::HasSubstr;
using testing::Not;

class ConnectionFactoryTest : public ClientTest {
protected:
  std::string url(const std::string& hosts, const std::string& query = {}) const {
    return "host=" + hosts + " user=" + server->user() + " dbname=" + server->dbname() + query;
  }

  std::string good() const { return server->host(); }

  std::string port() const { return std::to_string(server->port()); }
};

TEST_F(ConnectionFactoryTest, EveryCallMakesAConnectionOfItsOwn) {
  auto connect = build_connection_factory(url(good(), " port=" + port()));
  ASSERT_TRUE(connect) << connect.error().to_string();
  auto one = (*connect)();
  auto other = (*connect)();
  ASSERT_TRUE(one && other);
  const auto pid = [](auto& connection) {
    return number((*connection)->execute("SELECT pg_backend_pid() AS pid"), "pid");
  };
  EXPECT_NE(pid(one), pid(other));
  EXPECT_EQ(pid(one), pid(one));
}

TEST_F(ConnectionFactoryTest, HostsThatDoNotAnswerAreLeftOut) {
  auto connect = build_connection_factory(
    url(good() + ",127.0.0.1,127.0.0.1", " port=" + port() + ",1,2"), 2s);
  ASSERT_TRUE(connect) << connect.error().to_string();
  for (int i = 0; i < 8; ++i) {
    auto connection = (*connect)();
    EXPECT_TRUE(connection) << connection.error().to_string();
  }
}

TEST_F(ConnectionFactoryTest, WhereNoneWillDoEveryHostIsNamed) {
  auto connect = build_connection_factory("postgresql://ada:planted@127.0.0.1:1,localhost:2/shop");
  ASSERT_TRUE(connect);
  const auto refused = (*connect)();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::connection);
  EXPECT_THAT(refused.error().message(), HasSubstr("127.0.0.1"));
  EXPECT_THAT(refused.error().message(), HasSubstr("localhost"));
  EXPECT_THAT(refused.error().to_string(), Not(HasSubstr("planted")));
}

TEST_F(ConnectionFactoryTest, TheRoleOfAServerIsChecked) {
  const auto with = [&](const std::string& role) {
    return build_connection_factory(
      url(good(), " port=" + port() + " target_session_attrs=" + role));
  };
  auto primary = with("primary");
  ASSERT_TRUE(primary);
  EXPECT_TRUE((*primary)());
  EXPECT_TRUE((*with("prefer-standby"))());
  const auto refused = (*with("standby"))();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::connection);
}

TEST_F(ConnectionFactoryTest, AnAddressWithMistakesIsRefusedAtOnce) {
  EXPECT_EQ(build_connection_factory("postgresql://db:99999/shop").error().kind(),
            ErrorKind::config);
}

}  // namespace
}  // namespace millrace::postgres
