#include "connectors/sdk/dsn.hpp"

#include <gtest/gtest.h>

#include <string>

namespace millrace::sdk {
namespace {

/// "host=a port=1 …" in the order of `dsn_parameters`, or the error.
std::string parsed(std::string_view text) {
  const auto dsn = parse_dsn(text);
  if (!dsn)
    return dsn.error().to_string();
  std::string out;
  for (const auto& [name, value] : dsn_parameters(*dsn))
    out.append(out.empty() ? "" : " ").append(name).append("=").append(value);
  return out;
}

std::string built(std::string_view text, std::string_view dbname, std::string_view role) {
  const auto dsn = build_db_dsn(text, dbname, role);
  return dsn ? *dsn : dsn.error().to_string();
}

TEST(DsnTest, ReadsUris) {
  EXPECT_EQ(parsed("postgresql://u:p@h:5432/db?sslmode=require"),
            "host=h port=5432 user=u password=p dbname=db sslmode=require");
  EXPECT_EQ(parsed("postgres://"), "");
  EXPECT_EQ(parsed("POSTGRES://u@h"), "host=h user=u");
  EXPECT_EQ(parsed("postgresql+asyncpg://u:p@h/db?ssl=verify-full"),
            "host=h user=u password=p dbname=db sslmode=verify-full");
  EXPECT_EQ(parsed("postgresql:///db?host=/tmp&port=1"), "host=/tmp port=1 dbname=db");
  EXPECT_EQ(parsed("postgresql://%2Ftmp%2Fsock/db"), "host=/tmp/sock dbname=db");
  EXPECT_EQ(parsed("postgresql://h/db?ssl=true"), "host=h dbname=db sslmode=require");
}

TEST(DsnTest, DecodesPercents) {
  EXPECT_EQ(parsed("postgresql://u%40x:p%3a%25@h/a%2Fb"),
            "host=h user=u@x password=p:% dbname=a/b");
}

TEST(DsnTest, ReadsAddressesInBrackets) {
  EXPECT_EQ(parsed("postgresql://[::1]:5432,[fe80::1]/x"), "host=::1,fe80::1 port=5432, dbname=x");
  EXPECT_EQ(parsed("postgresql://[::1"), "config: a '[' without ']' at column 14");
  EXPECT_EQ(parsed("postgresql://[]/"), "config: an empty address [] at column 14");
  EXPECT_EQ(parsed("postgresql://[::1]x/"),
            "config: something between an address and its port at column 19");
}

TEST(DsnTest, JoinsSeveralHosts) {
  EXPECT_EQ(parsed("postgresql://u:p@h1:1,h2:2/db"),
            "host=h1,h2 port=1,2 user=u password=p dbname=db");
  EXPECT_EQ(parsed("postgresql:///db?host=a:5432&host=b"), "host=a,b port=5432, dbname=db");
  EXPECT_EQ(parsed("postgresql:///db?host=a:1,b:2&host=[::1]:3"),
            "host=a,b,::1 port=1,2,3 dbname=db");
  EXPECT_EQ(parsed("postgresql:///db?host=a&host=b&port=7"), "host=a,b port=7,7 dbname=db");
  EXPECT_EQ(parsed("postgresql:///db?host=a&host=b:8&port=7"), "host=a,b port=7,8 dbname=db");
  EXPECT_EQ(parsed("postgresql:///db?host=a&host=b&port=7,8"), "host=a,b port=7,8 dbname=db");
  EXPECT_EQ(parsed("host=a,b port=1,2,3"),
            "config: there are 2 hosts and 3 ports; give one port, or one for each host");
  EXPECT_EQ(parsed("postgresql://h1,,h2/db"), "host=h1,,h2 dbname=db");
}

TEST(DsnTest, ReadsKeywordStrings) {
  EXPECT_EQ(parsed("host = a  port= 2 user='x\\'y z'"), "host=a port=2 user=x'y z");
  EXPECT_EQ(parsed("host=a host=b"), "host=b");
  EXPECT_EQ(parsed("host=%2Ftmp"), "host=%2Ftmp");
  EXPECT_EQ(parsed("host='a"), "config: it is neither a URL nor a list of name=value; for example "
                               "postgresql://user@host:5432/name or sqlite:///file.db");
  EXPECT_EQ(
    parsed("user=a host='b"),
    "config: a quoted value that does not end at column 13; put a value with blanks into single "
    "quotes");
}

TEST(DsnTest, ReadsSqlite) {
  EXPECT_EQ(parsed("sqlite:///file.db"), "dbname=file.db");
  EXPECT_EQ(parsed("sqlite:////var/x%20y.db?mode=ro"), "dbname=/var/x y.db mode=ro");
  EXPECT_EQ(parsed("sqlite:///a.db?busy_timeout=50"), "dbname=a.db busy_timeout=50");
  EXPECT_EQ(parsed("sqlite::memory:"), "dbname=:memory:");
  EXPECT_EQ(parsed("sqlite://"), "dbname=:memory:");
  EXPECT_EQ(parse_dsn("sqlite+aiosqlite:///a.db")->driver, "sqlite");
  EXPECT_EQ(parsed("sqlite:///a.db?mod=ro"),
            "config: the unknown setting 'mod' at column 16; did you mean 'mode'?");
}

TEST(DsnTest, RefusesUnknownSettingsWithAGuess) {
  EXPECT_EQ(parsed("postgresql://h/db?sslmod=require"),
            "config: the unknown setting 'sslmod' at column 19; did you mean 'sslmode'?");
  EXPECT_EQ(parsed("host=a database=b"),
            "config: the unknown setting 'database' at column 8; did you mean 'dbname'?");
  EXPECT_EQ(parsed("mysql://h/db"),
            "config: there is no database driver for 'mysql://'; drivers are postgres and sqlite");
}

TEST(DsnTest, RefusesWhatWouldOnlyFailOnConnecting) {
  for (const auto* url : {"postgresql://h:0/", "postgresql://h:65536/", "postgresql://h:-1/",
                          "postgresql://h:ab/", "host=h port=5432x", "postgresql://h?port=0"})
    EXPECT_NE(parsed(url).find("the port of the host is no number from 1 to 65535"),
              std::string::npos)
      << url << ": " << parsed(url);
  EXPECT_NE(parsed("postgresql://h/?sslmode=on").find("it is one of disable, allow"),
            std::string::npos);
  EXPECT_NE(parsed("postgresql://h/?target_session_attrs=rw").find("prefer-standby"),
            std::string::npos);
}

TEST(DsnTest, TakesARawAtSignInAPassword) {
  EXPECT_EQ(parsed("postgresql://u:p@q@h/d"), "host=h user=u password=p@q dbname=d");
  EXPECT_EQ(parsed("postgresql://u:p?q@h/d"), "host=h user=u password=p?q dbname=d");
}

TEST(DsnTest, ShowsNothingOfAPasswordThatIsCutWrongly) {
  for (const auto* text :
       {"postgresql://u:hun/ter@h/db", "postgresql://u:1/hunter@h/db",
        "postgresql://u:h/x?hunter=ter@h", "postgresql://u:hunter%zz@h",
        "postgresql://u:1/a?b=hunter@h", "password=my hunter=2 x", "password=my hunter",
        "user=u password='hunter", "hunter", "postgresql://u:hunter",
        "postgresql://u:p@h/db?password=hun@ter&x=hunter", "password=a hunter=1"}) {
    for (const auto& shown : {parsed(text), mask_dsn(text)})
      EXPECT_EQ(shown.find("hunter"), std::string::npos) << text << " -> " << shown;
    EXPECT_EQ(parsed(text).find("ter@"), std::string::npos) << text;
  }
}

TEST(DsnTest, MasksSecretsAndKeepsTheRest) {
  EXPECT_EQ(mask_dsn("postgresql://u:p@h:1/db?sslpassword=x&sslmode=require"),
            "postgresql://u:***@h:1/db?sslpassword=***&sslmode=require");
  EXPECT_EQ(mask_dsn("postgresql://u@h/db"), "postgresql://u@h/db");
  EXPECT_EQ(mask_dsn("postgresql://h/db?p%61ssword=x"), "postgresql://h/db?p%61ssword=***");
  EXPECT_EQ(mask_dsn("postgresql://u:p@h/db?application_name=x@y"),
            "postgresql://u:***@h/db?application_name=x@y");
  EXPECT_EQ(mask_dsn("host=h password = 'a b' user='x y'"), "host=h password=*** user='x y'");
  EXPECT_EQ(mask_dsn("dbname=postgresql://u:p@h/db"), "dbname=postgresql://u:***@h/db");
  EXPECT_EQ(mask_dsn("postgresql://u:p/q@h:1/db"), "postgresql://u:***@h:1/db");
  EXPECT_EQ(mask_dsn("mysql://u:p@h/db"), "mysql://u:***@h/db");
  EXPECT_EQ(mask_dsn("sqlite:///a.db?mode=ro&key=x"), "sqlite:///a.db?mode=ro&***");
  EXPECT_EQ(mask_dsn("no address"), "***");
}

TEST(DsnTest, TellsSeveralHostsInEveryForm) {
  EXPECT_TRUE(*is_dsn_multihost("postgresql://a,b/db"));
  EXPECT_TRUE(*is_dsn_multihost("postgresql:///db?host=a&host=b"));
  EXPECT_TRUE(*is_dsn_multihost("host=a,b"));
  EXPECT_TRUE(*is_dsn_multihost("hostaddr=127.0.0.1,127.0.0.2"));
  EXPECT_FALSE(*is_dsn_multihost("postgresql://a/db"));
  EXPECT_FALSE(*is_dsn_multihost("postgresql:///db?host=a"));
  EXPECT_FALSE(*is_dsn_multihost("sqlite:///a,b"));
  EXPECT_FALSE(is_dsn_multihost("postgresql://a:x"));
}

TEST(DsnTest, BuildsTheSameServerWithAnotherDatabaseAndRole) {
  EXPECT_EQ(built("postgresql://u:p%40s@h:1/db?sslmode=require&target_session_attrs=any", "other",
                  "read-write"),
            "postgresql://u:p%40s@h:1/other?sslmode=require&target_session_attrs=read-write");
  EXPECT_EQ(built("postgresql+asyncpg://u:p@q@h/db", "a b/c", ""),
            "postgresql+asyncpg://u:p%40q@h/a%20b%2Fc");
  EXPECT_EQ(built("postgresql+asyncpg://u:p@/db?host=a:5432&host=b", "x", "prefer-standby"),
            "postgresql+asyncpg://u:p@/x?host=a:5432&host=b&target_session_attrs=prefer-standby");
  EXPECT_EQ(built("postgres://u:p@/db?host=a:5432&host=b", "", "any"),
            "postgres://u:p@a:5432,b/db?target_session_attrs=any");
  EXPECT_EQ(built("host=/tmp port=5433 user=u", "x", ""), "postgresql://u@%2Ftmp:5433/x");
  EXPECT_EQ(built("postgresql://[::1]:5/a", "x", ""), "postgresql://[::1]:5/x");
  EXPECT_EQ(built("postgresql://h/db", "x", "readwrite"),
            "config: target_session_attrs does not have that value; it is one of any, read-write, "
            "read-only, primary, standby, prefer-standby");
  EXPECT_EQ(built("sqlite:///a.db", "/b c.db", ""), "sqlite:////b%20c.db");
  EXPECT_EQ(built("sqlite:///a.db", "b", "any"),
            "config: a sqlite database has no target_session_attrs");
}

TEST(DsnTest, ReadsItsOwnUrisBack) {
  for (const auto* text : {"postgresql://u:p@h:1,[::1]:2/db?options=-c%20a%3Db",
                           "sqlite::memory:", "postgres+x://a%3Ab:c%2Fd@%2Ftmp/e%3Ff",
                           "host=a,b port=1,2 password='x y'"}) {
    const auto dsn = parse_dsn(text);
    ASSERT_TRUE(dsn) << text;
    EXPECT_EQ(parsed(to_uri(*dsn)), parsed(text));
  }
}

}  // namespace
}  // namespace millrace::sdk
