// The end of a connection, waited for: the server counts it until its process is gone, and so must
// whoever promises never to have more than so many.
#pragma once

#include "connectors/postgres/handles.hpp"
#include "connectors/sdk/reactor.hpp"

#include <chrono>
#include <functional>

namespace millrace::postgres {

/// Ends the connection, and calls `gone` on the loop, whose thread this is, when the server has
/// ended its side too; `patience` later at the latest, and at once where there is no socket any
/// more.
void part(ConnectionPtr connection, sdk::EventLoop& loop, std::chrono::milliseconds patience,
          std::function<void()> gone);

/// Asks the server to give up what the connection runs. Blocks a thread of its own: libpq 15 can
/// only cancel by connecting, sending and reading.
void request_cancel(PGconn* connection);

}  // namespace millrace::postgres
