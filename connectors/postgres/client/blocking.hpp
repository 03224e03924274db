// wait_for: an operation with a callback, as a blocking one.
#pragma once

#include "connectors/postgres/client/core.hpp"

#include <functional>
#include <future>
#include <memory>
#include <utility>

namespace millrace::postgres {

/// Refused on the connector's own thread, which would wait for itself.
template <class T>
T wait_for(const ClientCore& core, const std::function<void(std::function<void(T)>)>& start) {
  if (core.on_own_thread())
    return sdk::Error{sdk::ErrorKind::internal,
                      "a blocking call inside of a callback would wait for itself",
                      {.hint = "use the asynchronous operations there"}};
  auto answer = std::make_shared<std::promise<T>>();
  auto future = answer->get_future();
  start([answer](T value) { answer->set_value(std::move(value)); });
  return future.get();
}

}  // namespace millrace::postgres
