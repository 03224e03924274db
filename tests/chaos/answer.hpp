// What a caller of the chaos waits for.
//
//   Answer<sdk::Status> committed{violations};
//   session.commit(committed.callback());
//   const auto status = committed.get();
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/statement.hpp"
#include "tests/chaos/ledger.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <utility>

namespace millrace::actors {

// Waits for one answer, and hears of a second one.
template <class T>
class Answer {
public:
  explicit Answer(Violations& violations) : state_{std::make_shared<State>(violations)} {}

  auto callback() {
    return [state = state_](T value) {
      if (state->told.exchange(true))
        state->violations.add("a caller was answered twice");
      else
        state->promise.set_value(std::move(value));
    };
  }

  T get() {
    auto future = state_->promise.get_future();
    if (future.wait_for(std::chrono::seconds{60}) == std::future_status::ready)
      return future.get();
    ADD_FAILURE() << "nobody answered for a minute; " << state_->violations.text();
    std::abort();
  }

private:
  struct State {
    explicit State(Violations& all) : violations{all} {}

    std::promise<T> promise;
    std::atomic<bool> told{false};
    Violations& violations;
  };

  std::shared_ptr<State> state_;
};

inline const sdk::Error* error_in(const sdk::Result<sdk::SqlResult>& result) {
  return result ? nullptr : &result.error();
}

}  // namespace millrace::actors
