// A Stream over a connected socket, without encryption.
#pragma once

#include "connectors/http/stream.hpp"
#include "connectors/sdk/descriptor.hpp"
#include "connectors/sdk/reactor.hpp"

#include <memory>

namespace millrace::http {

/// @param socket connected and non-blocking. @param loop where everything will happen.
std::unique_ptr<Stream> make_plain_stream(sdk::Descriptor socket, sdk::EventLoop& loop);

}  // namespace millrace::http
