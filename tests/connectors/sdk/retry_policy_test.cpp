#include "connectors/sdk/retry_policy.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace millrace::sdk {
namespace {

using namespace std::chrono_literals;

Error error(ErrorKind kind, bool retryable, bool unknown = false) {
  Error::Detail detail;
  detail.retryable = retryable;
  detail.outcome_unknown = unknown;
  return {kind, "trouble", std::move(detail)};
}

Statement statement(std::string sql) {
  return {.sql = std::move(sql)};
}

TEST(RetryPolicyTest, CountsAttemptsInTotal) {
  RetryPolicy policy{{.attempts = 3}, 1};
  const auto conflict = error(ErrorKind::transaction, true);
  EXPECT_TRUE(policy.after_error(conflict, 1));
  EXPECT_TRUE(policy.after_error(conflict, 2));
  EXPECT_FALSE(policy.after_error(conflict, 3));
  EXPECT_FALSE((RetryPolicy{{.attempts = 1}, 1}.after_error(conflict, 1)));
}

TEST(RetryPolicyTest, AsksTheEnvironmentForItsCountEachTime) {
  RetryPolicy policy{{}, 1};
  const auto conflict = error(ErrorKind::transaction, true);
  EXPECT_FALSE(policy.after_error(conflict, 3));
  setenv("DB_UTILS_RETRIES_NUMBER", "4", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_TRUE(policy.after_error(conflict, 3));
  EXPECT_FALSE(policy.after_error(conflict, 4));
  setenv("DB_RETRY_RETRIES_NUMBER", "1", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_FALSE(policy.after_error(conflict, 1)) << "the newer name wins";
  EXPECT_TRUE((RetryPolicy{{.attempts = 2}, 1}.after_error(conflict, 1))) << "the settings win";
  setenv("DB_RETRY_RETRIES_NUMBER", "many", 1);  // NOLINT(concurrency-mt-unsafe)
  EXPECT_TRUE(policy.after_error(conflict, 3)) << "what is no number is not there";
  unsetenv("DB_RETRY_RETRIES_NUMBER");  // NOLINT(concurrency-mt-unsafe)
  unsetenv("DB_UTILS_RETRIES_NUMBER");  // NOLINT(concurrency-mt-unsafe)
}

TEST(RetryPolicyTest, NeverRepeatsWhatIsFinalOrUnknown) {
  RetryPolicy policy{{}, 1};
  EXPECT_FALSE(policy.after_error(error(ErrorKind::execution, false), 1));
  EXPECT_FALSE(policy.after_error(error(ErrorKind::timeout, true), 1))
    << "a lock that waited too long is the caller's";
  EXPECT_FALSE(policy.after_error(error(ErrorKind::transaction, false), 1));
  EXPECT_FALSE(policy.after_error(error(ErrorKind::connection, true, true), 1));
}

TEST(RetryPolicyTest, CannotMultiplyAnOutage) {
  RetryPolicy policy{{}, 1};
  const auto conflict = error(ErrorKind::transaction, true);
  int allowed = 0;
  while (policy.after_error(conflict, 1))
    ++allowed;
  EXPECT_EQ(allowed, 100);

  for (int i = 0; i < 10; ++i)
    policy.succeeded();
  EXPECT_TRUE(policy.after_error(conflict, 1));
  EXPECT_FALSE(policy.after_error(conflict, 1));
}

TEST(LossVerdictTest, KnowsWhatCannotHaveHappened) {
  const auto write = statement("INSERT INTO t VALUES (1)");
  EXPECT_EQ(judge_loss(StatementPhase::queued, false, write), LossVerdict::never_happened);
  EXPECT_EQ(judge_loss(StatementPhase::written, true, write), LossVerdict::never_happened);
  EXPECT_EQ(judge_loss(StatementPhase::written, false, write), LossVerdict::unknown);
  EXPECT_EQ(judge_loss(StatementPhase::complete, true, write), LossVerdict::unknown);
}

TEST(LossVerdictTest, DoesNotTrustStatementsThatCommitOnTheirOwn) {
  for (const auto* sql :
       {"CALL p()", "DO $$ BEGIN COMMIT; END $$", "VACUUM", "CREATE INDEX CONCURRENTLY i ON t (a)"})
    EXPECT_EQ(judge_loss(StatementPhase::written, true, statement(sql)), LossVerdict::unknown)
      << sql;
}

TEST(LossVerdictTest, BelievesWhatTheServerEnforcedOrTheCallerVouchesFor) {
  auto read = statement("SELECT 1");
  EXPECT_EQ(judge_loss(StatementPhase::written, false, read), LossVerdict::unknown)
    << "functions write, too";
  read.options.read_only = true;
  EXPECT_EQ(judge_loss(StatementPhase::complete, false, read), LossVerdict::repeatable);
  auto write = statement("UPDATE t SET a = 1");
  write.options.idempotent = true;
  EXPECT_EQ(judge_loss(StatementPhase::written, false, write), LossVerdict::repeatable);
}

}  // namespace
}  // namespace millrace::sdk
