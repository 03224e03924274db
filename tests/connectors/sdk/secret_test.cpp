#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/database_settings.hpp"
#include "connectors/sdk/secret.hpp"
#include "tests/support/config_nodes.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

namespace millrace::sdk {
namespace {

TEST(SecretTest, IsAsItsFileHasItNow) {
  const test::Scratch scratch;
  const Secret secret{"first", scratch.write("password", "first\n")};
  EXPECT_EQ(secret.current(), "first");
  scratch.write("password", "second\r\n");
  EXPECT_EQ(secret.current(), "second");
  EXPECT_EQ(secret.reveal(), "first");
}

TEST(SecretTest, StaysWhatItWasWhereItsFileCannotBeRead) {
  EXPECT_EQ((Secret{"first", "/no/such/file"}.current()), "first");
  EXPECT_EQ(Secret{"first"}.current(), "first");
  const test::Scratch scratch;
  EXPECT_EQ((Secret{"first", scratch.write("empty", "")}.current()), "first") << "half written";
}

TEST(SecretTest, IsMadeAnewOfTheFilesThatItHasPartsOf) {
  const test::Scratch scratch;
  const auto one = scratch.write("one", "11\n");
  const auto two = scratch.write("two", "2222");
  const Secret secret{"a11b2222c", std::vector<FilePart>{{.offset = 1, .length = 2, .path = one},
                                                         {.offset = 4, .length = 4, .path = two}}};
  EXPECT_EQ(secret.current(), "a11b2222c");
  scratch.write("one", "longer than before");
  scratch.write("two", "");
  EXPECT_EQ(secret.current(), "alonger than beforeb2222c");
}

TEST(SecretTest, APasswordInAnAddressFollowsTheFileThatItCameFrom) {
  const test::Scratch scratch;
  const auto password = scratch.write("password", "first%21\n");
  const auto address = scratch.write("address", "postgresql://ada:first@db/shop\n");
  const std::string before = "postgresql://ada:";
  const std::vector<std::tuple<std::string, FilePart, std::string, std::string>> forms{
    {before + "first%21@db/shop",
     {.offset = before.size(), .length = 8, .path = password},
     "first!",
     "next"},
    {"postgresql://ada:first@db/shop",
     {.offset = 0, .length = 30, .path = address},
     "first",
     "other"},
  };
  for (const auto& [url, part, first, second] : forms) {
    auto node = test::secret(url);
    node.files = {part};
    const auto mapping = test::mapping({{"url", std::move(node)}});
    Diagnostics diagnostics;
    ConfigReader in{mapping, "database server 'shop'", diagnostics};
    DatabaseSettings settings;
    read_database_settings(in, settings);
    ASSERT_FALSE(diagnostics.has_errors());
    EXPECT_EQ(settings.password.current(), first);
    EXPECT_EQ(settings.password.reveal(), first);
    scratch.write("password", "next\n");
    scratch.write("address", "postgresql://ada:other@db/shop\n");
    EXPECT_EQ(settings.password.current(), second);
    scratch.write("address", "no address at all");
  }
}

}  // namespace
}  // namespace millrace::sdk
