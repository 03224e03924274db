// The reactor over Boost.Asio: one io_context and one thread per loop.
//
//   auto reactor = asio::make_reactor({.threads = 1});
//   boost::asio::io_context& io = asio::io_context_of(reactor->loop());   // for connectors that
//   link Asio
#pragma once

#include "connectors/sdk/reactor.hpp"

#include <cstddef>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace millrace::asio {

struct ReactorOptions {
  std::size_t threads = 0;  // 0: max(1, cores / 4)
};

std::unique_ptr<sdk::Reactor> make_reactor(ReactorOptions options = {});

/// The io_context behind a loop that `make_reactor` made. Handlers on it must not throw.
boost::asio::io_context& io_context_of(sdk::EventLoop& loop);

}  // namespace millrace::asio
