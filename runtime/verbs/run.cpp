// `millrace run`.
#include "actors/engine.hpp"
#include "connectors/asio/reactor.hpp"
#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/config_reader.hpp"
#include "runtime/admin/api.hpp"
#include "runtime/file_watch.hpp"
#include "runtime/load_files.hpp"
#include "runtime/logging.hpp"
#include "runtime/progress.hpp"
#include "runtime/reloader.hpp"
#include "runtime/service_manager.hpp"
#include "runtime/signals.hpp"
#include "runtime/status_line.hpp"
#include "runtime/verbs.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>

namespace millrace::runtime {

namespace {

using namespace std::chrono_literals;

/// Turns signals into a drain of the engine, also where they come before it has started.
class Stopper {
public:
  Stopper(actors::Engine& engine, sdk::Log& log, ServiceManager& manager,
          std::chrono::milliseconds drain_timeout)
    : engine_{engine}, log_{log}, manager_{manager}, drain_timeout_{drain_timeout} {}

  void drain() {
    manager_.stopping();
    engine_.stop(drain_timeout_);
  }

  void on_signal(std::string_view name, unsigned times) {
    if (times == 1) {
      log_.info("signal received, draining",
                {{"signal", name}, {"timeout", sdk::format_duration(drain_timeout_)}});
      drain();
      return;
    }
    log_.warn("second signal received, giving up open work", {{"signal", name}});
    const std::lock_guard lock{mutex_};
    if (started_)
      engine_.stop(0ms);
    // Where even that does not end it there is nothing to wait for.
    if (!started_ || !engine_.wait_for(2s))
      ::_exit(static_cast<int>(ExitCode::unfinished));
  }

  void engine_started() {
    const std::lock_guard lock{mutex_};
    started_ = true;
  }

private:
  actors::Engine& engine_;
  sdk::Log& log_;
  ServiceManager& manager_;
  const std::chrono::milliseconds drain_timeout_;
  std::mutex mutex_;
  bool started_ = false;
};

/// Blocks until the engine is done, with a line about its progress where somebody can see it.
void wait(actors::Engine& engine, StatusLine& lines, bool show_progress) {
  if (!show_progress) {
    engine.wait();
    return;
  }
  const auto& clock = sdk::system_clock();
  Progress progress{clock.now()};
  while (!engine.wait_for(200ms))
    lines.show(progress.line(engine.status(), clock.now()));
  lines.show("");
}

// Why a pipeline failed was logged by the engine when it did.
void log_end(const actors::PipelineStatus& pipeline, sdk::Log& log) {
  log.info("pipeline ended", {{"pipeline", pipeline.name},
                              {"state", actors::to_string(pipeline.state)},
                              {"read", pipeline.read},
                              {"delivered", pipeline.delivered},
                              {"filtered", pipeline.filtered},
                              {"skipped", pipeline.skipped},
                              {"dead_lettered", pipeline.dead_lettered},
                              {"failed", pipeline.failed},
                              {"open", pipeline.open}});
}

/// 0 where all is settled. Where nothing was ever taken in, the code says why; else work is left.
ExitCode code_of(const actors::EngineSummary& summary) {
  if (summary.all_settled)
    return ExitCode::ok;
  const auto failed = std::ranges::find_if(
    summary.pipelines, [](const auto& pipeline) { return pipeline.error.has_value(); });
  const bool begun = std::ranges::any_of(summary.pipelines,
                                         [](const auto& pipeline) { return pipeline.read > 0; });
  if (failed == summary.pipelines.end() || begun)
    return ExitCode::unfinished;
  return exit_code_of(*failed->error);
}

/// Opens the admin API, where it is wanted. An address that nobody asked for may be taken.
sdk::Status open_admin(AdminServer& server, const RunOptions& options, sdk::Log& log) {
  const auto& address = options.admin.address;
  if (address == "off" || (address.empty() && options.engine.once))
    return {};
  auto opened = server.open();
  if (opened || !address.empty())
    return opened;
  log.warn("no admin api: its address is taken",
           {{"address", default_admin_address}, {"error", opened.error().message()}});
  return {};
}

sdk::Result<std::unique_ptr<FileWatch>> watch_files(const RunOptions& options, Reloader& reloader) {
  if (!options.watch)
    return std::unique_ptr<FileWatch>{};
  return FileWatch::open(options.files.files, [&reloader] { reloader.request("--watch"); });
}

}  // namespace

ExitCode execute(const RunOptions& options, Console& console) {
  const auto hangup = options.engine.once ? Hangup::ends : Hangup::handled;
  block_signals(hangup);
  const auto program = load_files(options.files, console);
  if (!program)
    return ExitCode::config;

  StatusLine lines{STDERR_FILENO};
  const auto log = make_log(options.log, lines);
  const auto reactor = asio::make_reactor();
  actors::Engine engine{
    options.engine, {.reactor = reactor.get(), .log = log.get(), .clock = &sdk::system_clock()}};
  ServiceManager manager{[&engine] { return engine.responds(1s); }};
  Stopper stopper{engine, *log, manager, options.drain_timeout};
  Reloader reloader{options, engine, *log,
                    [&manager](bool begins) { begins ? manager.reloading() : manager.ready(); }};
  AdminServer admin{options.admin, *reactor, *log};
  add_admin_routes(admin, {engine, *log, reloader, [&] {
                             log->info("drain asked for", {{"by", "admin api"}});
                             stopper.drain();
                           }});
  const Signals signals{
    hangup,
    {.end = [&](std::string_view name, unsigned times) { stopper.on_signal(name, times); },
     .hang_up = [&] { reloader.request("SIGHUP"); }}};

  if (const auto opened = open_admin(admin, options, *log); !opened) {
    console.complain(opened.error());
    return exit_code_of(opened.error());
  }
  if (const auto started = engine.start(program); !started) {
    console.complain(started.error());
    return exit_code_of(started.error());
  }
  stopper.engine_started();
  manager.ready();
  const auto watch = watch_files(options, reloader);
  if (!watch) {
    console.complain(watch.error());
    return exit_code_of(watch.error());
  }
  wait(engine, lines, options.engine.once && shows_progress(*program));

  const auto summary = engine.summary();
  for (const auto& pipeline : summary.pipelines)
    log_end(pipeline, *log);
  return code_of(summary);
}

}  // namespace millrace::runtime
