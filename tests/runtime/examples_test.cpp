// The files of config/pipelines/ do what they say, and the generated pages of docs/ are fresh.
#include "tests/runtime/millrace.hpp"
#include "tests/support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace millrace::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string examples = MILLRACE_SOURCE_DIR "/config/pipelines/";

constexpr const char* loyalty_table = "customer  name             country  loyaltyScore\n"
                                      "--------  ---------------  -------  ------------\n"
                                      "       1  Ada Lovelace     GB                  9\n"
                                      "       2  Grace Hopper     US                  6\n"
                                      "       3  Edsger Dijkstra  NL                  4\n"
                                      "       4  Barbara Liskov   US                  7\n"
                                      "       5  Tony Hoare       GB                  2\n"
                                      "       6  Leslie Lamport   US                  1\n"
                                      "       7  Frances Allen    US                 12\n"
                                      "       8  Kurt Gödel       AT                  0\n";

std::string read_file(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

class ExamplesTest : public testing::Test {
protected:
  Launch run_once(const std::string& name,
                  std::vector<std::pair<std::string, std::string>> environment = {}) {
    auto launch = millrace_launch({"run", "--once", "--log-level", "warn", examples + name});
    launch.directory = scratch_.path({});
    launch.environment = std::move(environment);
    return launch;
  }

  Scratch scratch_;
};

TEST_F(ExamplesTest, AllAreValid) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{examples}) {
    if (entry.path().extension() != ".yaml")
      continue;
    ++count;
    const auto done = millrace({"validate", entry.path().string()});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.err, IsEmpty());
  }
  EXPECT_GE(count, 5);
}

TEST_F(ExamplesTest, LoyaltyPrintsTheScoreOfEachCustomer) {
  const auto done = run_process(
    run_once("loyalty.yaml", {{"CUSTOMERS", examples + "data/customers.jsonl"}}));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, loyalty_table);
}

TEST_F(ExamplesTest, LoyaltyRunsAsTheQuickstartRunsIt) {
  const auto script = read_file(MILLRACE_SOURCE_DIR "/scripts/quickstart");
  const std::string program = "\nbuild/release/millrace run ";
  const auto start = script.find(program);
  ASSERT_NE(start, std::string::npos);
  const auto words = start + program.size();
  Launch launch{.arguments = {"/bin/sh", "-c",
                              "exec \"$MILLRACE\" run "
                                + script.substr(words, script.find('\n', words) - words)}};
  launch.directory = MILLRACE_SOURCE_DIR;
  launch.environment = {{"MILLRACE", MILLRACE_BINARY_DIR "/millrace"}};
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(done.out, loyalty_table);
  EXPECT_THAT(done.err, IsEmpty());
}

TEST_F(ExamplesTest, OrdersGoIntoTheDatabaseAndMisfitsIntoAFile) {
  const auto launch = run_once("orders-to-database.yaml",
                               {{"ORDERS", examples + "data/orders.csv"}});
  for (int again = 0; again < 2; ++again) {
    const auto done = run_process(launch);
    EXPECT_EQ(done.code, 0) << done.err;
  }
  const auto refused = scratch_.read("orders-refused.jsonl");
  EXPECT_THAT(refused, HasSubstr("not a number"));
  EXPECT_THAT(refused, HasSubstr("Tony Hoare"));
  EXPECT_THAT(refused, Not(HasSubstr("Ada")));
}

TEST_F(ExamplesTest, TransfersChangeBothAccountsOrNone) {
  const auto done = run_process(
    run_once("transfers.yaml", {{"TRANSFERS", examples + "data/transfers.jsonl"}}));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("\"refused\":{\"from\":1,\"to\":3,\"amount\":500}"));
  EXPECT_THAT(done.out,
              HasSubstr("\"balances\":[{\"id\":1,\"balance\":80},{\"id\":2,\"balance\":0},"
                        "{\"id\":3,\"balance\":70}]"));
}

TEST_F(ExamplesTest, BasketsArePricedAndTaxed) {
  auto launch = run_once("baskets.yaml");
  launch.input = read_file(examples + "data/baskets.jsonl");
  const auto done = run_process(launch);
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_EQ(
    done.out,
    "{\"id\":\"b1\",\"lines\":[{\"sku\":\"tea\",\"amount\":4},{\"sku\":\"pot\",\"amount\":25}],"
    "\"total\":29,"
    "\"taxRate\":19}\n"
    "{\"id\":\"b2\",\"lines\":[{\"sku\":\"moka\",\"amount\":30}],\"total\":30,\"taxRate\":22}\n"
    "{\"id\":\"b4\",\"lines\":[{\"sku\":\"mug\",\"amount\":9}],\"total\":9,\"taxRate\":0}\n");
}

// Both pages are made by scripts/docs.
TEST(DocumentsTest, TheOptionTablesAreFresh) {
  const auto page = read_file(MILLRACE_SOURCE_DIR "/docs/options.md");
  const auto tables = millrace({"list", "options"}).out;
  EXPECT_FALSE(tables.empty());
  EXPECT_TRUE(page.ends_with("\n\n" + tables)) << "docs/options.md is stale: run scripts/docs";
}

TEST(DocumentsTest, TheSchemaIsFresh) {
  const auto schema = millrace({"schema"}).out;
  EXPECT_FALSE(schema.empty());
  EXPECT_TRUE(schema == read_file(MILLRACE_SOURCE_DIR "/config/millrace.schema.json"))
    << "config/millrace.schema.json is stale: run scripts/docs";
}

TEST_F(ExamplesTest, ReadingsAreLoadedInBulkAndFollowedByTheirMark) {
  const auto loaded = run_process(run_once("load-readings.yaml"));
  EXPECT_EQ(loaded.code, 0) << loaded.err;
  const auto first = run_process(run_once("follow-table.yaml"));
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.out, "{\"number\":19998}\n{\"number\":19999}\n");
  const auto second = run_process(run_once("follow-table.yaml"));
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(second.out, "");
}

}  // namespace
}  // namespace millrace::test
