#include "connectors/sdk/retry.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <vector>

namespace millrace::sdk {
namespace {

Error state(ErrorKind kind, std::string code, bool retryable) {
  Error::Detail detail{.code = std::move(code)};
  detail.retryable = retryable;
  return {kind, "it did not work", detail};
}

RetryOptions without_waiting(std::optional<std::uint32_t> attempts = {}) {
  RetryOptions options{.attempts = attempts};
  options.wait = [](std::chrono::milliseconds) {};
  return options;
}

class RetryTest : public testing::Test {
protected:
  // NOLINTBEGIN(concurrency-mt-unsafe): the tests of a process run one after the other
  void TearDown() override {
    unsetenv("DB_RETRY_RETRIES_NUMBER");
    unsetenv("DB_UTILS_RETRIES_NUMBER");
  }

  static void set(const char* name, const char* value) { setenv(name, value, 1); }

  // NOLINTEND(concurrency-mt-unsafe)

  Status fail(const Error& error) {
    ++calls;
    return error;
  }

  int calls = 0;
};

TEST_F(RetryTest, CountsAttemptsInTotal) {
  const auto conflict = state(ErrorKind::transaction, "40001", true);
  const auto done = retry([&] { return fail(conflict); }, without_waiting(3));
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(done.error().code(), "40001");
  EXPECT_EQ(done.error().attempts(), 3U);
  calls = 0;
  EXPECT_FALSE(retry([&] { return fail(conflict); }, without_waiting(1)));
  EXPECT_EQ(calls, 1);
}

TEST_F(RetryTest, OneTryIsEnoughForWhatCannotWork) {
  for (const auto& error :
       {state(ErrorKind::transaction, "40002", false), state(ErrorKind::execution, "42601", false),
        state(ErrorKind::timeout, "57014", true)}) {
    calls = 0;
    EXPECT_FALSE(retry([&] { return fail(error); }, without_waiting()));
    EXPECT_EQ(calls, 1) << error.code();
  }
}

TEST_F(RetryTest, WhatMayHaveHappenedIsNotDoneTwice) {
  auto detail = state(ErrorKind::connection, "08007", true).detail();
  detail.outcome_unknown = true;
  const Error lost{ErrorKind::connection, "lost", detail};
  EXPECT_FALSE(retry([&] { return fail(lost); }, without_waiting()));
  EXPECT_EQ(calls, 1);
}

TEST_F(RetryTest, TheEnvironmentIsReadWhenItIsCalled) {
  const auto lost = state(ErrorKind::connection, "08006", true);
  const auto options = without_waiting();
  set("DB_UTILS_RETRIES_NUMBER", "2");
  EXPECT_FALSE(retry([&] { return fail(lost); }, options));
  EXPECT_EQ(calls, 2);
  calls = 0;
  set("DB_RETRY_RETRIES_NUMBER", "5");
  EXPECT_FALSE(retry([&] { return fail(lost); }, options));
  EXPECT_EQ(calls, 5);
  calls = 0;
  set("DB_RETRY_RETRIES_NUMBER", "many");
  EXPECT_FALSE(retry([&] { return fail(lost); }, options));
  EXPECT_EQ(calls, 2);
}

TEST_F(RetryTest, AnyCallableWillDo) {
  const auto options = without_waiting(3);
  EXPECT_EQ(retry([&] { return ++calls; }, options), 1);
  calls = 0;
  const auto value = retry(
    [&] {
      if (++calls < 3)
        throw_error(state(ErrorKind::connection, "08001", true));
      return calls;
    },
    options);
  EXPECT_EQ(value, 3);
}

TEST_F(RetryTest, TheFirstErrorInANestOfExceptionsDecides) {
  const auto thrower = [&] {
    ++calls;
    try {
      throw_error(state(ErrorKind::transaction, "40P01", true));
    } catch (...) {
      std::throw_with_nested(std::runtime_error{"the order could not be placed"});
    }
  };
  EXPECT_THROW(retry(thrower, without_waiting(3)), std::runtime_error);
  EXPECT_EQ(calls, 3);
  calls = 0;
  EXPECT_THROW(retry(
                 [&]() -> int {
                   ++calls;
                   throw std::runtime_error{"nothing of ours"};
                 },
                 without_waiting(3)),
               std::runtime_error);
  EXPECT_EQ(calls, 1);
}

TEST_F(RetryTest, WaitsGrowWithinTheirJitterAndAreTold) {
  std::vector<std::chrono::milliseconds> waits;
  std::vector<std::uint32_t> attempts;
  auto options = without_waiting(6);
  options.wait = [&](std::chrono::milliseconds wait) { waits.push_back(wait); };
  options.before_retry = [&](const Error&, std::uint32_t attempt) { attempts.push_back(attempt); };
  const auto lost = state(ErrorKind::connection, "08006", true);
  EXPECT_FALSE(retry([&] { return fail(lost); }, options));
  ASSERT_EQ(waits.size(), 5U);
  for (std::size_t i = 0; i < waits.size(); ++i)
    EXPECT_LE(waits[i].count(), std::min(2000, 100 << i));
  EXPECT_EQ(attempts, (std::vector<std::uint32_t>{1, 2, 3, 4, 5}));
}

TEST(DatabaseErrorTest, EveryKindHasItsType) {
  const auto of = [](ErrorKind kind) { return state(kind, "XX000", false); };
  EXPECT_THROW(throw_error(of(ErrorKind::connection)), DatabaseConnectionError);
  EXPECT_THROW(throw_error(of(ErrorKind::execution)), DatabaseExecutionError);
  EXPECT_THROW(throw_error(of(ErrorKind::timeout)), DatabaseTimeoutError);
  EXPECT_THROW(throw_error(of(ErrorKind::transaction)), DatabaseTransactionError);
  EXPECT_THROW(throw_error(of(ErrorKind::overloaded)), DatabaseError);
  EXPECT_TRUE(is<DatabaseTimeoutError>(of(ErrorKind::timeout)));
  EXPECT_FALSE(is<DatabaseTimeoutError>(of(ErrorKind::connection)));
  EXPECT_EQ(value_or_throw(Result<int>{7}), 7);
  EXPECT_THROW(value_or_throw(Result<int>{of(ErrorKind::timeout)}), DatabaseTimeoutError);
}

}  // namespace
}  // namespace millrace::sdk
