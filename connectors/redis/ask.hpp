// ask: one command through the client that all share, which may be repeated.
//
//   ask(client, bytes, [weak](sdk::Result<Reply> answer) { … });   // on the client's loop
#pragma once

#include "connectors/redis/client.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace millrace::redis {

using AskDone = std::function<void(sdk::Result<Reply>)>;

class AskCaller final : public Caller {
public:
  explicit AskCaller(AskDone done) : done_{std::move(done)} {}

  void on_answer(std::uint32_t, sdk::Result<Reply> answer) override { done_(std::move(answer)); }

private:
  AskDone done_;
};

inline void ask(Client& client, std::string bytes, AskDone done) {
  std::vector<Request> requests;
  requests.push_back({.bytes = std::move(bytes),
                      .caller = std::make_shared<AskCaller>(std::move(done)),
                      .is_repeatable = true});
  client.call(std::move(requests));
}

}  // namespace millrace::redis
