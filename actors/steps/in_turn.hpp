// in_turn: what another thread calls back with comes to a stage in the stage's own turn.
//
//   database.execute(std::move(statement), in_turn(context, [this, ticket](ExecuteReply reply) {
//     answer(ticket, std::move(reply));
//   }));
#pragma once

#include "actors/pipeline/stage.hpp"

#include <memory>
#include <utility>

namespace millrace::actors {

/// @returns a callback for any thread, to be called once; `then` gets its argument. It is dropped
/// where the stage is gone by then.
template <class Then>
auto in_turn(StageContext& context, Then then) {
  return [post = context.post(), then = std::move(then)](auto argument) mutable {
    // Shared, because a task is copyable and not every answer is.
    auto kept = std::make_shared<decltype(argument)>(std::move(argument));
    post([then = std::move(then), kept]() mutable { then(std::move(*kept)); });
  };
}

}  // namespace millrace::actors
