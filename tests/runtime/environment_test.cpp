#include "runtime/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

TEST(EnvFileTest, ReadsNamesAndValues) {
  const auto read = parse_env_file(
    "# secrets\n\nA=1\r\nexport B = two words \nC='quoted = # kept'\nD=\n", ".env");
  ASSERT_TRUE(read) << read.error().to_string();
  EXPECT_THAT(*read, ElementsAre(Pair("A", "1"), Pair("B", "two words"),
                                 Pair("C", "quoted = # kept"), Pair("D", "")));
}

TEST(EnvFileTest, SaysWhichLineItCannotReadAndNotWhatStandsThere) {
  const auto read = parse_env_file("A=1\nplanted-secret\n", "prod.env");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message(), HasSubstr("prod.env:2"));
  EXPECT_THAT(read.error().to_string(), Not(HasSubstr("planted")));
}

TEST(ProcessEnvironmentTest, TheEnvironmentWinsOverFiles) {
  ::setenv("MILLRACE_TEST_VARIABLE_A", "from the process", 1);
  ProcessEnvironment environment;
  const std::string file = testing::TempDir() + "/millrace-environment-test.env";
  {
    std::FILE* out = std::fopen(file.c_str(), "w");
    ASSERT_NE(out, nullptr);
    std::fputs("MILLRACE_TEST_VARIABLE_A=from the file\nMILLRACE_TEST_VARIABLE_B=only there\n",
               out);
    std::fclose(out);
  }
  ASSERT_TRUE(environment.add_file(file));
  EXPECT_EQ(environment.variable("MILLRACE_TEST_VARIABLE_A"), "from the process");
  EXPECT_EQ(environment.variable("MILLRACE_TEST_VARIABLE_B"), "only there");
  EXPECT_EQ(environment.variable("MILLRACE_TEST_VARIABLE_C"), std::nullopt);
  EXPECT_THAT(environment.variables("MILLRACE_TEST_VARIABLE_"),
              ElementsAre(Pair("MILLRACE_TEST_VARIABLE_A", "from the process"),
                          Pair("MILLRACE_TEST_VARIABLE_B", "only there")));
  ::unsetenv("MILLRACE_TEST_VARIABLE_A");
  std::remove(file.c_str());
}

TEST(ProcessEnvironmentTest, AnAbsentFileIsNamed) {
  ProcessEnvironment environment;
  const auto added = environment.add_file("/nonexistent/x.env");
  ASSERT_FALSE(added);
  EXPECT_THAT(added.error().message(), HasSubstr("/nonexistent/x.env"));
}

}  // namespace
}  // namespace millrace::runtime
