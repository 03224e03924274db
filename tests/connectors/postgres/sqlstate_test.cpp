#include "connectors/postgres/sqlstate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace millrace::postgres {
namespace {

using enum sdk::ErrorKind;

struct Expected {
  std::string_view state;
  sdk::ErrorKind kind;
  bool retryable = false;
  bool evict = false;
  bool unknown = false;
  bool alarm = false;
};

// The contract, every row of it; the table in the code is walked against it.
constexpr std::array contract{
  Expected{"57P03", connection, true, true},
  Expected{"53300", connection, true, true},
  Expected{"28P01", connection, false, true},
  Expected{"28000", connection, false, true},
  Expected{"3D000", connection, false, true},
  Expected{"57P01", connection, true, true},
  Expected{"57P05", connection, true, true},
  Expected{"57P02", connection, false, true, true},
  Expected{"57P04", connection, false, true},
  Expected{"08000", connection, true, true},
  Expected{"08001", connection, true, true},
  Expected{"08003", connection, true, true},
  Expected{"08006", connection, true, true},
  Expected{"08007", connection, false, true, true},
  Expected{"40001", transaction, true},
  Expected{"40P01", transaction, true},
  Expected{"40000", transaction},
  Expected{"40002", transaction},
  Expected{"40003", transaction, false, false, true},
  Expected{"25001", transaction},
  Expected{"25P01", transaction},
  Expected{"25P02", transaction},
  Expected{"25006", execution},
  Expected{"25P03", transaction, false, true},
  Expected{"25P04", timeout, false, true},
  Expected{"2D000", transaction},
  Expected{"3B001", transaction},
  Expected{"0B000", transaction},
  Expected{"57014", timeout},
  Expected{"55P03", timeout},
  Expected{"55006", execution},
  Expected{"0A000", execution},
  Expected{"42601", execution},
  Expected{"42P01", execution},
  Expected{"22P02", execution},
  Expected{"23505", execution},
  Expected{"23503", execution},
  Expected{"53100", execution},
  Expected{"53200", execution},
  Expected{"54000", execution},
  Expected{"58030", execution, false, true},
  Expected{"XX000", execution},
  Expected{"P0001", execution},
  Expected{"72000", transaction},
  Expected{"08P01", connection, false, true},
  Expected{"25000", transaction},
  Expected{"25008", transaction},
  Expected{"3B000", transaction},
  Expected{"55000", execution},
  Expected{"26000", execution},
  Expected{"42P05", execution},
  Expected{"42P18", execution},
  Expected{"42P08", execution},
  Expected{"42725", execution},
  Expected{"42501", execution},
  Expected{"21000", execution},
  Expected{"20000", execution},
  Expected{"34000", execution},
  Expected{"3F000", execution},
  Expected{"44000", execution},
  Expected{"0L000", execution},
  Expected{"0P000", execution},
  Expected{"38000", execution},
  Expected{"39000", execution},
  Expected{"2F000", execution},
  Expected{"HV000", execution},
  Expected{"23P01", execution},
  Expected{"53400", execution},
  Expected{"54001", execution},
  Expected{"58000", execution},
  Expected{"58P01", execution},
  Expected{"XX001", execution, false, false, false, true},
  Expected{"XX002", execution, false, false, false, true},
  Expected{"F0000", execution},
  Expected{"P0004", execution},
};

// The same code says another thing when it refuses a connection.
constexpr std::array at_connect{
  Expected{"57P03", connection, true}, Expected{"53300", connection, true},
  Expected{"53200", connection, true}, Expected{"28000", connection},
  Expected{"28P01", connection},       Expected{"3D000", connection},
  Expected{"42501", connection},       Expected{"42704", connection},
  Expected{"22023", connection},       Expected{"55000", connection},
  Expected{"0A000", connection},       Expected{"57P01", connection, true},
  Expected{"08P01", connection},       Expected{"08006", connection, true},
};

TEST(SqlStateTest, ClassifiesAsTheContractSays) {
  for (const auto& expected : contract) {
    const auto& rule = rule_for(expected.state);
    EXPECT_EQ(rule.kind, expected.kind) << expected.state;
    EXPECT_EQ(rule.retryable, expected.retryable) << expected.state;
    EXPECT_EQ(rule.evict, expected.evict) << expected.state;
    EXPECT_EQ(rule.outcome_unknown, expected.unknown) << expected.state;
    EXPECT_EQ(rule.alarm, expected.alarm) << expected.state;
  }
}

TEST(SqlStateTest, ClassifiesARefusedConnectionByATableOfItsOwn) {
  for (const auto& expected : at_connect) {
    const auto& rule = connect_rule_for(expected.state);
    EXPECT_EQ(rule.kind, expected.kind) << expected.state;
    EXPECT_EQ(rule.retryable, expected.retryable) << expected.state;
  }
  for (const auto& rule : connect_rules())
    EXPECT_EQ(&connect_rule_for(rule.state), &rule) << rule.state;
}

TEST(SqlStateTest, HasEveryRowOfTheTableInTheContract) {
  for (const auto& rule : state_rules())
    EXPECT_TRUE(std::ranges::any_of(
      contract, [&rule](const Expected& expected) { return &rule_for(expected.state) == &rule; }))
      << rule.state;
}

TEST(SqlStateTest, HasNoRowThatAnEarlierOneHides) {
  for (const auto& rule : state_rules())
    EXPECT_EQ(&rule_for(rule.state), &rule) << rule.state;
}

TEST(SqlStateTest, NeverCallsRetryableWhatMayHaveHappened) {
  for (const auto& rule : state_rules())
    EXPECT_FALSE(rule.retryable && rule.outcome_unknown) << rule.state;
}

}  // namespace
}  // namespace millrace::postgres
