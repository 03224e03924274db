#include "connectors/postgres/targets.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace millrace::postgres {
namespace {

// A variable of libpq's for the time of a test.
class Variable {
public:
  Variable(const char* name, const std::string& value) : name_{name} {
    ::setenv(name, value.c_str(), 1);
  }

  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

  ~Variable() { ::unsetenv(name_); }

private:
  const char* name_;
};

std::string text_of(const std::vector<Target>& targets) {
  std::vector<std::string> all;
  for (const auto& target : targets) {
    std::string text = target.host.host;
    text.append(":").append(std::to_string(target.host.port));
    if (!target.address.empty())
      text.append("=").append(target.address);
    if (!target.session_attributes.empty())
      text.append(" ").append(target.session_attributes);
    all.push_back(std::move(text));
  }
  std::ranges::sort(all);
  std::string joined;
  for (const auto& text : all)
    joined.append(joined.empty() ? "" : ", ").append(text);
  return joined;
}

TEST(TargetsTest, NameEveryHostOnce) {
  sdk::DatabaseSettings settings;
  settings.hosts = {{"a", 1}, {"b", 2}, {"c", 3}};
  settings.target_session_attrs = "read-write";
  EXPECT_EQ(text_of(targets_of(settings, 7)), "a:1 read-write, b:2 read-write, c:3 read-write");
}

TEST(TargetsTest, StandInEveryOrderThereIs) {
  sdk::DatabaseSettings settings;
  settings.hosts = {{"a", 1}, {"b", 2}, {"c", 3}};
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    std::string order;
    for (const auto& target : targets_of(settings, seed))
      order += target.host.host;
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 6U);
}

TEST(TargetsTest, MakeTwoRoundsWhereAStandbyIsPreferred) {
  sdk::DatabaseSettings settings;
  settings.hosts = {{"a", 1}, {"b", 2}};
  settings.target_session_attrs = "prefer-standby";
  const auto targets = targets_of(settings, 1);
  ASSERT_EQ(targets.size(), 4U);
  EXPECT_EQ(targets[0].session_attributes, "standby");
  EXPECT_EQ(targets[1].session_attributes, "standby");
  EXPECT_EQ(targets[2].session_attributes, "any");
  EXPECT_NE(targets[2].host.host, targets[3].host.host);
}

TEST(TargetsTest, KeepTheAddressesThatWereGiven) {
  sdk::DatabaseSettings settings;
  settings.hosts = {{"a", 1}, {"b", 2}};
  settings.parameters = {{"hostaddr", "10.0.0.1,10.0.0.2"}};
  EXPECT_EQ(text_of(targets_of(settings, 1)), "a:1=10.0.0.1 any, b:2=10.0.0.2 any");
  settings.hosts.clear();
  settings.parameters = {{"hostaddr", "10.0.0.1"}};
  EXPECT_EQ(text_of(targets_of(settings, 1)), ":5432=10.0.0.1 any");
}

TEST(TargetsTest, ComeFromTheServiceFileWhereNoHostIsNamed) {
  const test::Scratch scratch;
  scratch.write("services", "[orders]\nhost=a,b\nport=1,2\ntarget_session_attrs=primary\n");
  const Variable file{"PGSERVICEFILE", scratch.path("services")};
  sdk::DatabaseSettings settings;
  settings.parameters = {{"service", "orders"}};
  EXPECT_EQ(text_of(targets_of(settings, 1)), "a:1 primary, b:2 primary");
  settings.hosts = {{"c", 3}};
  EXPECT_EQ(text_of(targets_of(settings, 1)), "c:3 primary");
}

TEST(TargetsTest, ComeFromTheVariablesOfLibpqWhereNothingElseIsSaid) {
  const Variable hosts{"PGHOST", "a,b"};
  const Variable port{"PGPORT", "6000"};
  EXPECT_EQ(text_of(targets_of({}, 1)), "a:6000 any, b:6000 any");
}

TEST(TargetsTest, AreTheLocalSocketWhereNothingIsSaid) {
  EXPECT_EQ(text_of(targets_of({}, 1)), ":5432 any");
  sdk::DatabaseSettings settings;
  settings.hosts = {{"", 5433}};
  EXPECT_EQ(text_of(targets_of(settings, 1)), ":5433 any");
}

}  // namespace
}  // namespace millrace::postgres
