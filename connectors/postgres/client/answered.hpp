// answered: a callback that is called in any case. Where the thread that should call it has ended,
// it is called with an error as its last copy goes.
#pragma once

#include "connectors/sdk/result.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace millrace::postgres {

inline sdk::Error closed_meanwhile() {
  sdk::Error::Detail detail{.hint = "call connect() again", .code = "08003"};
  return {sdk::ErrorKind::connection, "the connector was closed", std::move(detail)};
}

/// `otherwise` makes what the callback is given then.
template <class T>
std::function<void(T)> answered(std::function<void(T)> done, std::function<T()> otherwise) {
  struct Guard {
    Guard(std::function<void(T)> call, std::function<T()> fallback)
      : done{std::move(call)}, otherwise{std::move(fallback)} {}

    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    ~Guard() {
      if (done)
        done(otherwise());
    }

    std::function<void(T)> done;
    std::function<T()> otherwise;
  };

  auto guard = std::make_shared<Guard>(std::move(done), std::move(otherwise));
  return [guard = std::move(guard)](T value) {
    if (auto call = std::exchange(guard->done, nullptr))
      call(std::move(value));
  };
}

}  // namespace millrace::postgres
