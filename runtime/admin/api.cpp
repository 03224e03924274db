#include "runtime/admin/api.hpp"

#include "runtime/admin/prometheus.hpp"
#include "runtime/admin/views.hpp"
#include "runtime/flags.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace millrace::runtime {

namespace {

using sdk::Value;

constexpr std::size_t most_tapped = 100;  // entries in one answer

AdminAnswer no_pipeline(const std::string& name) {
  return admin_error(404, "there is no pipeline '" + name + "' that runs",
                     "GET /pipelines lists them");
}

/// A number of the query, or `other` where it is missing or none.
std::uint64_t number_or(const AdminRequest& request, std::string_view name, std::uint64_t other) {
  const auto text = request.query_text(name);
  std::uint64_t number = 0;
  const auto [stop, trouble] = std::from_chars(text.data(), text.data() + text.size(), number);
  return trouble == std::errc{} && stop == text.data() + text.size() ? number : other;
}

void add_health(AdminServer& server, const AdminTarget& target) {
  server.route("GET", "/health/live", [](const AdminRequest&, const AdminReply& reply) {
    reply({.body = Value::object({{"status", Value{"live"}}})});
  });
  server.route(
    "GET", "/health/ready",
    [&engine = target.engine](const AdminRequest&, const AdminReply& reply) {
      if (auto reason = not_ready(engine.status()); !reason.empty())
        reply({.status = 503,
               .body = Value::object({{"status", Value{"not ready"}}, {"reason", Value{reason}}})});
      else
        reply({.body = Value::object({{"status", Value{"ready"}}})});
    });
  server.route(
    "GET", "/health",
    [&engine = target.engine](const AdminRequest&, const AdminReply& reply) {
      auto health = health_view(engine.servers(true), engine.status());
      const bool unhealthy = health.find("status")->as_string()
                             == actors::to_string(actors::HealthStatus::unhealthy);
      reply({.status = unhealthy ? 503U : 200U, .body = std::move(health)});
    },
    AdminLane::slow);
  server.route("GET", "/metrics",
               [&engine = target.engine](const AdminRequest&, const AdminReply& reply) {
                 PrometheusText text;
                 engine.visit(text);
                 add_process(text);
                 reply({.text = text.finish(), .type = std::string{PrometheusText::content_type}});
               });
}

void add_lists(AdminServer& server, const AdminTarget& target) {
  auto& engine = target.engine;
  server.route("GET", "/pipelines", [&engine](const AdminRequest&, const AdminReply& reply) {
    reply({.body = Value::object({{"pipelines", view(engine.status())}})});
  });
  server.route("GET", "/pipelines/{pipeline}",
               [&engine](const AdminRequest& request, const AdminReply& reply) {
                 const auto name = request.param("pipeline");
                 const auto all = engine.status();
                 const auto found = std::ranges::find(all, name, &actors::PipelineStatus::name);
                 reply(found == all.end() ? no_pipeline(name) : AdminAnswer{.body = view(*found)});
               });
  server.route(
    "GET", "/servers",
    [&engine](const AdminRequest&, const AdminReply& reply) {
      reply({.body = Value::object({{"servers", view(engine.servers(true))}})});
    },
    AdminLane::slow);
  server.route(
    "GET", "/transactions",
    [&engine](const AdminRequest&, const AdminReply& reply) {
      reply({.body = Value::object({{"transactions", transactions_view(engine.servers(false))}})});
    },
    AdminLane::slow);
  server.route("GET", "/errors", [&engine](const AdminRequest&, const AdminReply& reply) {
    reply({.body = Value::object({{"errors", view(engine.errors())}})});
  });
}

void send_record(actors::Engine& engine, const AdminRequest& request, const AdminReply& reply) {
  const auto name = request.param("pipeline");
  const auto* payload = request.body.find("payload");
  if (!payload) {
    reply(admin_error(422, "the body must be {\"payload\": …}",
                      "its `payload` is what the pipeline's source would give, `meta` what it "
                      "would say of it"));
    return;
  }
  const auto* meta = request.body.find("meta");
  const auto sent = engine.send(
    name, *payload, meta ? *meta : Value{}, [reply](const actors::SentRecord& record) {
      auto body = Value::object({{"outcome", Value{sdk::to_string(record.outcome)}}});
      const bool fails = record.outcome == sdk::Outcome::failed
                         || record.outcome == sdk::Outcome::lost;
      if (record.outcome == sdk::Outcome::failed)
        body.set("error", record.error);
      else if (fails)
        body.set("error", Value{"the pipeline did not take it, or ended before it was done"});
      reply({.status = fails ? 502U : 200U, .body = std::move(body)});
    });
  if (!sent)
    reply(sent.error().kind() == sdk::ErrorKind::config
            ? admin_error(409, sent.error().message(), sent.error().hint())
            : no_pipeline(name));
}

void add_pipeline_orders(AdminServer& server, const AdminTarget& target) {
  auto& engine = target.engine;
  for (const bool paused : {true, false})
    server.route(
      "POST", std::string{"/pipelines/{pipeline}/"} + (paused ? "pause" : "resume"),
      [&engine, paused](const AdminRequest& request, const AdminReply& reply) {
        const auto name = request.param("pipeline");
        if (!engine.pause(name, paused)) {
          reply(no_pipeline(name));
          return;
        }
        reply({.body = Value::object({{"pipeline", Value{name}}, {"paused", Value{paused}}})});
      });
  server.route("POST", "/pipelines/{pipeline}/records",
               [&engine](const AdminRequest& request, const AdminReply& reply) {
                 send_record(engine, request, reply);
               });
  server.route(
    "GET", "/pipelines/{pipeline}/steps/{step}/tap",
    [&engine](const AdminRequest& request, const AdminReply& reply) {
      const auto name = request.param("pipeline");
      const auto step = request.param("step");
      const auto entries = engine.tap(name, step, number_or(request, "after", 0), most_tapped);
      reply(entries ? AdminAnswer{.body = Value::object({{"records", view(*entries)}})}
                    : admin_error(
                      404, "there is no step '" + step + "' in a pipeline '" + name + "' that runs",
                      "GET /pipelines lists them"));
    });
}

Value log_view(const AdjustableLog& log) {
  const auto found = std::ranges::find(log_levels, log.level(),
                                       [](const auto& word) { return word.second; });
  return Value::object({{"level", Value{found->first}}});
}

void add_process_orders(AdminServer& server, const AdminTarget& target) {
  server.route("POST", "/reload",
               [&reloader = target.reloader](const AdminRequest&, const AdminReply& reply) {
                 reloader.request("admin api", [reply](const ReloadOutcome& outcome) {
                   if (outcome.report) {
                     reply({.body = view(*outcome.report)});
                     return;
                   }
                   auto answer = admin_error(422, "nothing was changed");
                   auto mistakes = Value::array();
                   for (const auto& mistake : outcome.mistakes)
                     mistakes.push_back(Value{mistake});
                   answer.body.set("mistakes", std::move(mistakes));
                   reply(std::move(answer));
                 });
               });
  server.route("POST", "/drain",
               [drain = target.drain](const AdminRequest&, const AdminReply& reply) {
                 drain();
                 reply({.status = 202, .body = Value::object({{"status", Value{"draining"}}})});
               });
  server.route("GET", "/log", [&log = target.log](const AdminRequest&, const AdminReply& reply) {
    reply({.body = log_view(log)});
  });
  server.route(
    "PUT", "/log", [&log = target.log](const AdminRequest& request, const AdminReply& reply) {
      const auto* level = request.body.find("level");
      const auto word = level && level->is_string() ? level->as_string() : std::string_view{};
      const auto found = std::ranges::find(log_levels, word,
                                           [](const auto& one) { return one.first; });
      if (found == log_levels.end()) {
        reply(admin_error(422, "the body must be {\"level\": …}",
                          "levels: trace, debug, info, warn, error, off"));
        return;
      }
      log.set_level(found->second);
      reply({.body = log_view(log)});
    });
}

}  // namespace

void add_admin_routes(AdminServer& server, const AdminTarget& target) {
  add_health(server, target);
  add_lists(server, target);
  add_pipeline_orders(server, target);
  add_process_orders(server, target);
}

}  // namespace millrace::runtime
