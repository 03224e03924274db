// Reloader: reads the pipeline files again and goes over to what they say, one request after the
// other, on a thread of its own. What asks for it: SIGHUP, --watch, the admin API.
#pragma once

#include "actors/engine.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/worker.hpp"
#include "runtime/options.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::runtime {

struct ReloadOutcome {
  std::optional<actors::ReloadReport> report;  // none: nothing was changed
  std::vector<std::string> mistakes;           // why
};

class Reloader {
public:
  using Done = std::function<void(const ReloadOutcome&)>;

  /// @param changing told when a reload begins to change something, and when it is over; may be
  /// empty. All that is given outlives it.
  Reloader(const RunOptions& options, actors::Engine& engine, sdk::Log& log,
           std::function<void(bool)> changing);

  /// @param by for the log: "SIGHUP". @param done called on its thread; may be empty.
  void request(std::string by, Done done = {});

private:
  ReloadOutcome reload();

  const RunOptions& options_;
  actors::Engine& engine_;
  sdk::Log& log_;
  std::function<void(bool)> changing_;
  sdk::Worker worker_{"reload"};  // the last member: its end waits for what is under way
};

}  // namespace millrace::runtime
