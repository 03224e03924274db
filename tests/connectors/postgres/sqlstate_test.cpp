#include "connectors/postgres/sqlstate.hpp"

#include <gtest/gtest.h>

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
};

// The contract, one line for each kind of row; the table in the code is walked against it.
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
};

TEST(SqlStateTest, ClassifiesAsTheContractSays) {
  for (const auto& expected : contract) {
    const auto& rule = rule_for(expected.state);
    EXPECT_EQ(rule.kind, expected.kind) << expected.state;
    EXPECT_EQ(rule.retryable, expected.retryable) << expected.state;
    EXPECT_EQ(rule.evict, expected.evict) << expected.state;
    EXPECT_EQ(rule.outcome_unknown, expected.unknown) << expected.state;
  }
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
