#include "connectors/sdk/secret.hpp"
#include "tests/support/scratch.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace millrace::sdk
