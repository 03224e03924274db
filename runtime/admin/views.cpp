#include "runtime/admin/views.hpp"

#include "connectors/sdk/json.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::runtime {

namespace {

using sdk::Value;

Value texts(const std::vector<std::string>& all) {
  auto list = Value::array();
  for (const auto& one : all)
    list.push_back(Value{one});
  return list;
}

std::string iso_time(std::chrono::system_clock::time_point at) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(at);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(at - whole).count();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  const auto digits = std::to_string(1000 + millis);
  return std::string{text.data(), length} + "." + digits.substr(1) + "Z";
}

Value pool_view(const actors::PoolInfo& pool) {
  return Value::object({{"checked_out", Value{pool.checked_out}},
                        {"available", Value{pool.available}},
                        {"total", Value{pool.total}},
                        {"overflow", Value{pool.overflow}},
                        {"size", Value{pool.size}},
                        {"waiting", Value{pool.waiting}},
                        {"open", Value{pool.open}},
                        {"down", Value{pool.down}},
                        {"statements", Value{pool.statements}},
                        {"retries", Value{pool.retries}},
                        {"connects", Value{pool.connects}},
                        {"losses", Value{pool.losses}}});
}

std::string_view state_word(const actors::PipelineStatus& pipeline) {
  if (pipeline.paused && pipeline.state == actors::PipelineState::running)
    return "paused";
  return actors::to_string(pipeline.state);
}

}  // namespace

Value view(const actors::PipelineStatus& pipeline) {
  auto steps = Value::array();
  for (const auto& step : pipeline.steps)
    steps.push_back(Value::object({{"name", Value{step.name}},
                                   {"type", Value{step.type}},
                                   {"in", Value{step.in}},
                                   {"out", Value{step.out}},
                                   {"errors", Value{step.errors}},
                                   {"in_flight", Value{step.in_flight}}}));
  auto shown = Value::object({{"name", Value{pipeline.name}},
                              {"id", Value{pipeline.id}},
                              {"state", Value{state_word(pipeline)}},
                              {"uptime_ms", Value{pipeline.uptime.count()}},
                              {"takes_in", Value{pipeline.takes_in}},
                              {"read", Value{pipeline.read}},
                              {"delivered", Value{pipeline.delivered}},
                              {"filtered", Value{pipeline.filtered}},
                              {"skipped", Value{pipeline.skipped}},
                              {"dead_lettered", Value{pipeline.dead_lettered}},
                              {"failed", Value{pipeline.failed}},
                              {"open", Value{pipeline.open}},
                              {"restarts", Value{pipeline.restarts}}});
  if (pipeline.error)
    shown.set("error", Value::object({{"step", Value{pipeline.failed_step}},
                                      {"message", Value{pipeline.error->to_string()}}}));
  shown.set("steps", std::move(steps));
  return shown;
}

Value view(const std::vector<actors::PipelineStatus>& pipelines) {
  auto list = Value::array();
  for (const auto& pipeline : pipelines)
    list.push_back(view(pipeline));
  return list;
}

Value view(const actors::ServerStatus& server) {
  auto shown = Value::object({{"name", Value{server.name}}, {"protocol", Value{server.protocol}}});
  if (!server.driver.empty())
    shown.set("driver", Value{server.driver});
  if (server.health) {
    shown.set("status", Value{actors::to_string(server.health->status)});
    shown.set("message", Value{server.health->message});
    shown.set("latency_ms", Value{server.health->latency_ms});
  } else {
    shown.set("status", Value{"unknown"});
    shown.set("message", Value{server.pool ? "The database did not answer in time"
                                           : "Servers of this protocol are not asked; see the "
                                             "pipelines that use it"});
  }
  if (server.pool)
    shown.set("pool", pool_view(*server.pool));
  return shown;
}

Value view(const std::vector<actors::ServerStatus>& servers) {
  auto list = Value::array();
  for (const auto& server : servers)
    list.push_back(view(server));
  return list;
}

Value view(const actors::ReloadReport& report) {
  return Value::object({{"kept", texts(report.kept)},
                        {"replaced", texts(report.replaced)},
                        {"started", texts(report.started)},
                        {"stopped", texts(report.stopped)}});
}

Value view(const std::vector<actors::RecentError>& errors) {
  auto list = Value::array();
  for (const auto& one : errors) {
    auto shown = Value::object({{"number", Value{one.number}},
                                {"time", Value{iso_time(one.at)}},
                                {"pipeline", Value{one.pipeline}},
                                {"step", Value{one.step}},
                                {"action", Value{one.action}},
                                {"kind", Value{sdk::to_string(one.error.kind())}},
                                {"message", Value{one.error.message()}},
                                {"attempts", Value{one.error.attempts()}}});
    if (!one.error.code().empty())
      shown.set("code", Value{one.error.code()});
    list.push_back(std::move(shown));
  }
  return list;
}

Value view(const std::vector<actors::TapEntry>& entries) {
  auto list = Value::array();
  for (const auto& entry : entries) {
    auto value = sdk::parse_json(entry.json);
    list.push_back(Value::object({{"number", Value{entry.number}},
                                  {"lane", Value{entry.lane}},
                                  {"value", value ? std::move(*value) : Value{entry.json}}}));
  }
  return list;
}

Value transactions_view(const std::vector<actors::ServerStatus>& servers) {
  std::vector<std::pair<std::string, actors::TransactionInfo>> all;
  for (const auto& server : servers) {
    for (const auto& one :
         server.pool ? server.pool->transactions : std::vector<actors::TransactionInfo>{})
      all.emplace_back(server.name, one);
  }
  std::ranges::stable_sort(
    all, [](const auto& a, const auto& b) { return a.second.age > b.second.age; });
  auto list = Value::array();
  for (const auto& [server, one] : all)
    list.push_back(Value::object({{"server", Value{server}},
                                  {"owner", Value{one.owner}},
                                  {"age_ms", Value{one.age.count()}},
                                  {"writes", Value{one.writes}}}));
  return list;
}

Value health_view(const std::vector<actors::ServerStatus>& servers,
                  const std::vector<actors::PipelineStatus>& pipelines) {
  auto worst = actors::HealthStatus::healthy;
  const auto at_least = [&worst](actors::HealthStatus status) { worst = std::max(worst, status); };
  auto by_server = Value::object();
  for (const auto& server : servers) {
    auto shown = view(server);
    for (const auto* left_out : {"name", "protocol", "driver", "pool"})
      shown.erase(left_out);
    by_server.set(server.name, std::move(shown));
    if (server.health)
      at_least(server.health->status);
    else if (server.pool || !server.driver.empty())
      at_least(actors::HealthStatus::unhealthy);
  }
  auto by_pipeline = Value::object();
  for (const auto& pipeline : pipelines) {
    by_pipeline.set(pipeline.name, Value{state_word(pipeline)});
    if (pipeline.state == actors::PipelineState::failed)
      at_least(actors::HealthStatus::unhealthy);
    else if (pipeline.state == actors::PipelineState::recovering)
      at_least(actors::HealthStatus::degraded);
  }
  return Value::object({{"status", Value{actors::to_string(worst)}},
                        {"servers", std::move(by_server)},
                        {"pipelines", std::move(by_pipeline)}});
}

std::string not_ready(const std::vector<actors::PipelineStatus>& pipelines) {
  if (pipelines.empty())
    return "the pipelines have not started yet";
  for (const auto& pipeline : pipelines) {
    const bool runs = pipeline.state == actors::PipelineState::running
                      || pipeline.state == actors::PipelineState::recovering;
    if (pipeline.state != actors::PipelineState::finished && !(runs && pipeline.takes_in))
      return "pipeline '" + pipeline.name + "' is "
             + (runs ? "waiting for its source" : std::string{state_word(pipeline)});
  }
  return {};
}

}  // namespace millrace::runtime
