// The one seam to CAF: nothing else includes <caf/…>. What differs between CAF's releases is
// written here once (notes in docs/decisions).
#pragma once

#include "connectors/sdk/error.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <utility>

namespace millrace::actors {

/// The shared queue wakes an idle worker at once, and nobody keeps one for longer than so many
/// messages (docs/decisions).
inline void configure_scheduler(caf::actor_system_config& config, std::size_t threads,
                                bool stealing = false, std::size_t max_throughput = 50) {
  config.set("scheduler.policy", stealing ? caf::atom("stealing") : caf::atom("sharing"));
  config.set("scheduler.max-threads", threads);
  config.set("scheduler.max-throughput", max_throughput);
}

/// The reason of an actor that ends with one of our errors on purpose; no crash.
inline caf::error to_caf(const sdk::Error& error) {
  return caf::make_error(caf::sec::cannot_connect_to_node, error.to_string());
}

/// Ends an actor before what waits in its mailbox: that is destroyed.
template <class Handle>
void kill(const Handle& actor) {
  if (actor)
    caf::anon_send<caf::message_priority::high>(
      actor, caf::exit_msg{actor.address(), caf::exit_reason::kill});
}

/// Whether an actor ended by an exception of its own (and not by `kill` or `quit`).
inline bool is_crash(const caf::error& reason) {
  return reason && reason == caf::sec::runtime_error;
}

/// Messages of exceptions become the reason with which the actor ends, instead of a line on stderr.
template <class Self>
void report_exceptions(Self* self) {
  self->set_exception_handler([](std::exception_ptr& thrown) -> caf::error {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      return caf::make_error(caf::sec::runtime_error, std::string{error.what()});
    } catch (...) {
      return caf::make_error(caf::sec::runtime_error, std::string{"unknown exception"});
    }
  });
}

}  // namespace millrace::actors
