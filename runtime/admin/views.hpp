// What the admin API shows, as JSON.
#pragma once

#include "actors/engine.hpp"
#include "actors/engine_look.hpp"
#include "actors/pipeline/step_watch.hpp"
#include "actors/recent_errors.hpp"
#include "connectors/sdk/value.hpp"

#include <vector>

namespace millrace::runtime {

sdk::Value view(const actors::PipelineStatus& pipeline);
sdk::Value view(const std::vector<actors::PipelineStatus>& pipelines);
sdk::Value view(const actors::ServerStatus& server);
sdk::Value view(const std::vector<actors::ServerStatus>& servers);
sdk::Value view(const actors::ReloadReport& report);
sdk::Value view(const std::vector<actors::RecentError>& errors);
sdk::Value view(const std::vector<actors::TapEntry>& entries);

/// Of all servers, the oldest first: [{server, owner, age_ms, writes}].
sdk::Value transactions_view(const std::vector<actors::ServerStatus>& servers);

/// {status, servers: {name: {status, message, latency_ms}}, pipelines: {name: state}}; the status
/// is that of the worst.
sdk::Value health_view(const std::vector<actors::ServerStatus>& servers,
                       const std::vector<actors::PipelineStatus>& pipelines);

/// Why not all pipelines take in; empty: they do.
std::string not_ready(const std::vector<actors::PipelineStatus>& pipelines);

}  // namespace millrace::runtime
