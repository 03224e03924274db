#include "runtime/reloader.hpp"

#include "runtime/load_files.hpp"

#include <utility>

namespace millrace::runtime {

namespace {

sdk::Value names(const std::vector<std::string>& all) {
  auto list = sdk::Value::array();
  for (const auto& one : all)
    list.push_back(sdk::Value{one});
  return list;
}

}  // namespace

Reloader::Reloader(const RunOptions& options, actors::Engine& engine, sdk::Log& log,
                   std::function<void(bool)> changing)
  : options_{options}, engine_{engine}, log_{log}, changing_{std::move(changing)} {
}

void Reloader::request(std::string by, Done done) {
  worker_.post([this, by = std::move(by), done = std::move(done)] {
    log_.info("reload asked for", {{"by", sdk::Value{by}}});
    const auto outcome = reload();
    if (outcome.report)
      log_.info("reloaded", {{"kept", sdk::Value{outcome.report->kept.size()}},
                             {"replaced", names(outcome.report->replaced)},
                             {"started", names(outcome.report->started)},
                             {"stopped", names(outcome.report->stopped)}});
    for (const auto& mistake : outcome.mistakes)
      log_.error("reload refused, nothing was changed", {{"reason", sdk::Value{mistake}}});
    if (done)
      done(outcome);
  });
}

ReloadOutcome Reloader::reload() {
  auto loaded = read_files(options_.files);
  ReloadOutcome outcome;
  if (!loaded.program) {
    for (const auto& one : loaded.diagnostics.all()) {
      if (one.severity == sdk::Severity::error)
        outcome.mistakes.push_back(one.to_string());
    }
    return outcome;
  }
  if (changing_)
    changing_(true);
  auto report = engine_.reload(loaded.program, options_.drain_timeout);
  if (changing_)
    changing_(false);
  if (report)
    outcome.report = std::move(*report);
  else
    outcome.mistakes.push_back(report.error().to_string());
  return outcome;
}

}  // namespace millrace::runtime
