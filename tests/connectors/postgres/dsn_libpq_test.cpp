// Our DSN reader against libpq's own on the same texts: what both take must mean the same, and what
// libpq refuses we refuse, but for the forms that dsn.hpp adds.
#include "connectors/sdk/dsn.hpp"
#include "connectors/sdk/dsn_text.hpp"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace millrace::sdk {
namespace {

using Settings = std::map<std::string, std::string>;

/// Values that are empty, or lists of nothing, say as much as those that are missing.
void keep(Settings& settings, const std::string& name, const std::string& value) {
  if (value.find_first_not_of(',') != std::string::npos)
    settings[name] = value;
}

std::optional<Settings> libpq_settings(const std::string& text) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
    PQconninfoParse(text.c_str(), &problem), &PQconninfoFree};
  PQfreemem(problem);
  if (!options)
    return std::nullopt;
  Settings settings;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr)
      keep(settings, option->keyword, option->val);
  }
  return settings;
}

std::optional<Settings> our_settings(const std::string& text) {
  const auto dsn = parse_dsn(text);
  if (!dsn)
    return std::nullopt;
  Settings settings;
  for (const auto& [name, value] : dsn_parameters(*dsn))
    keep(settings, name, value);
  return settings;
}

/// One port for all hosts is spread over them by us.
void spread_port(Settings& settings) {
  const auto host = settings.find("host");
  const auto port = settings.find("port");
  if (host == settings.end() || port == settings.end()
      || port->second.find(',') != std::string::npos)
    return;
  const auto one = port->second;
  for (auto count = std::ranges::count(host->second, ','); count > 0; --count)
    port->second += "," + one;
}

TEST(DsnLibpqTest, KnowsTheKeywordsOfLibpq) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{PQconndefaults(),
                                                                             &PQconninfoFree};
  ASSERT_TRUE(options);
  std::vector<std::string_view> theirs;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    theirs.emplace_back(option->keyword);
  for (const auto keyword : postgres_keywords())
    EXPECT_NE(std::ranges::find(theirs, keyword), theirs.end()) << keyword;
  if (PQlibVersion() / 10000 == 15) {
    EXPECT_EQ(theirs.size(), postgres_keywords().size());
  }
}

TEST(DsnLibpqTest, MeansTheSameByTheSameText) {
  for (const std::string text : {"postgresql://",
                                 "postgres://u@",
                                 "postgresql://:pw@h",
                                 "postgresql://u:@h",
                                 "postgresql://h:",
                                 "postgresql://h:,k:1",
                                 "postgresql://,",
                                 "postgresql://h1,,h2/db",
                                 "postgresql://u:p@h1:1,h2:2/db?target_session_attrs=any",
                                 "postgresql://[::1]:5432/x",
                                 "postgresql://%2Ftmp%2Fsock/db",
                                 "postgresql:///db?host=/tmp&port=1",
                                 "postgresql://h/db?ssl=true",
                                 "postgresql://h/db?host=",
                                 "postgresql://h/db?",
                                 "postgresql://h/db?user=a&",
                                 "postgresql://h/db?user=a&user=b",
                                 "postgresql://h?user=x",
                                 "postgresql://h/d/e",
                                 "postgresql://h/a%20b c",
                                 "postgresql:///",
                                 "postgresql:///?host=a",
                                 "host=a port=1",
                                 "host = a  port= 2",
                                 "host='a b' user='x\\'y'",
                                 "host=a\\ b",
                                 "host=",
                                 "host=a host=b",
                                 "password=p\\",
                                 "",
                                 "  ",
                                 "postgresql://u%40b:p%3a@h",
                                 "postgresql://h/d#frag",
                                 "postgresql://a@b:1/",
                                 "postgresql://user@:1/",
                                 "postgresql://@h",
                                 "postgresql://:@h",
                                 "postgresql://[::1],h2",
                                 "postgresql://h?",
                                 "host\n=\na",
                                 "user=a'b",
                                 "user=''",
                                 "postgresql://h,",
                                 "postgresql://:5432",
                                 "dbname=postgresql://x",
                                 "postgresql://h:1/?host=k",
                                 "port=5 user=x",
                                 "postgresql://h/?options=-c%20a%3Db",
                                 "postgresql://h?application_name=x@y"}) {
    auto theirs = libpq_settings(text);
    ASSERT_TRUE(theirs) << text;
    spread_port(*theirs);
    const auto ours = our_settings(text);
    ASSERT_TRUE(ours) << text << ": " << parse_dsn(text).error().to_string();
    EXPECT_EQ(*ours, *theirs) << text;
  }
}

TEST(DsnLibpqTest, RefusesWhatLibpqRefuses) {
  for (const std::string text : {"postgresql://[::1]x/",
                                 "postgresql://[]/",
                                 "postgresql://[::1",
                                 "postgresql://h/db?ssl=false",
                                 "postgresql://h/db?a",
                                 "postgresql://h/db?user=b=c",
                                 "postgresql://h/%zz",
                                 "postgresql://h/%00",
                                 "host='a",
                                 "host",
                                 "=a",
                                 "foo=bar",
                                 "postgres:/h",
                                 "postgresql:h",
                                 "postgresql://h/db?ssl=TRUE",
                                 "user='' x",
                                 "postgresql://h/db?=x",
                                 "postgresql://h/db?load_balance_hosts=random",
                                 "postgresql://h?&",
                                 "postgresql://h?user=a&&port=1"}) {
    EXPECT_FALSE(libpq_settings(text)) << text;
    EXPECT_FALSE(our_settings(text)) << text;
  }
}

TEST(DsnLibpqTest, AgreesOnRandomTexts) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  static constexpr std::string_view uri_parts[] = {"u",
                                                   "p",
                                                   "h",
                                                   ":",
                                                   "@",
                                                   "/",
                                                   "?",
                                                   "&",
                                                   "=",
                                                   ",",
                                                   "[::1]",
                                                   "%41",
                                                   "%2F",
                                                   "user=x",
                                                   "5432",
                                                   "sslmode=require",
                                                   "connect_timeout=3",
                                                   "dbname=d",
                                                   "password=s",
                                                   "é",
                                                   " ",
                                                   "'",
                                                   "\\"};
  static constexpr std::string_view keyword_parts[] = {"user", "password", "dbname", "=",    " ",
                                                       "'",    "\\",       "x",      "host", "\n",
                                                       "=a ",  "='b c' ",  "port=1 "};
  int same = 0;
  for (int round = 0; round < 40000; ++round) {
    const bool uri = round % 2 == 0;
    std::string text = uri ? "postgresql://" : "";
    for (auto count = random() % 10; count > 0; --count)
      text += uri ? uri_parts[random() % std::size(uri_parts)]
                  : keyword_parts[random() % std::size(keyword_parts)];
    auto theirs = libpq_settings(text);
    const auto ours = our_settings(text);
    // We are stricter about ports and a raw @, and read a second @ of the authority as the
    // password's.
    if (text.find('@') != text.rfind('@'))
      continue;
    if (!theirs) {
      ASSERT_FALSE(ours) << text;
    }
    if (!ours)
      continue;
    spread_port(*theirs);
    ASSERT_EQ(*ours, *theirs) << text;
    ++same;
  }
  EXPECT_GT(same, 2000);
}

}  // namespace
}  // namespace millrace::sdk
