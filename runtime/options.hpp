// What each verb of the command line was asked to do; command_line.cpp fills these, verbs/ carries
// them out.
#pragma once

#include "actors/engine.hpp"
#include "connectors/sdk/log.hpp"
#include "connectors/sdk/secret.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace millrace::runtime {

enum class LogFormat : std::uint8_t { text, json };

struct LogOptions {
  sdk::LogLevel level = sdk::LogLevel::info;
  LogFormat format = LogFormat::text;
};

/// Which files are meant, and what changes what they say.
struct FileOptions {
  std::vector<std::string> files;      // or folders
  std::vector<std::string> sets;       // "servers.db.pool.max_size=20"
  std::vector<std::string> env_files;  // NAME=value lines
  std::string profile;                 // empty: `default` alone
};

inline constexpr std::string_view default_admin_address = "127.0.0.1:4190";

struct AdminOptions {
  std::string address;  // "HOST:PORT" or "off"; empty: nothing was said
  sdk::Secret token;    // empty: none is asked for
};

struct RunOptions {
  std::string config;  // settings file; empty: none
  FileOptions files;
  LogOptions log;
  actors::EngineOptions engine;
  AdminOptions admin;
  bool watch = false;
  std::chrono::milliseconds drain_timeout{30'000};
};

struct ValidateOptions {
  FileOptions files;
  bool against_db = false;  // statements are looked at on their servers
};

struct ExplainOptions {
  FileOptions files;
};

enum class GraphFormat : std::uint8_t { mermaid, dot };

struct GraphOptions {
  FileOptions files;
  GraphFormat format = GraphFormat::mermaid;
};

struct ListOptions {
  std::string what;  // "connectors", "functions", "options"
  std::string type;  // of `options`: one step type; empty: all
};

struct SchemaOptions {};

struct EvalJsonpathOptions {
  std::string path;
  std::string file;  // empty or "-": stdin
  bool paths = false;
  bool strict = false;
};

struct EvalSqlOptions {
  std::string text;
  std::string parameters;  // JSON; empty: not given
};

struct EvalExprOptions {
  std::string text;
  std::string file;
};

enum class DsnAction : std::uint8_t { parse, mask, is_multihost, build };

struct DsnOptions {
  DsnAction action = DsnAction::parse;
  std::string url;
  bool show_password = false;
  std::string database;
  std::string target_session_attrs;
};

struct VersionOptions {};

/// `get`: what a running process shows.
struct GetOptions {
  AdminOptions admin;
  std::string what;  // "pipelines", "servers", "transactions", "errors"
  bool watch = false;
  bool json = false;
  std::chrono::milliseconds every{1'000};  // with `watch`
};

/// `pause`, `resume`, `reload`: what a running process is told.
struct OrderOptions {
  AdminOptions admin;
  std::string order;
  std::string pipeline;  // of the first two
};

struct SendOptions {
  AdminOptions admin;
  std::string pipeline;
  std::string file;  // empty or "-": stdin
  bool lines = false;
};

struct TapOptions {
  AdminOptions admin;
  std::string place;      // "PIPELINE/STEP"
  std::size_t count = 0;  // 0: until it is stopped
};

struct TopOptions {
  AdminOptions admin;
  std::chrono::milliseconds every{1'000};
  std::size_t count = 0;  // views; 0: until it is stopped
};

struct ReplayOptions {
  AdminOptions admin;
  std::string pipeline;
  std::string file;
};

using Command = std::variant<RunOptions, ValidateOptions, ExplainOptions, GraphOptions, ListOptions,
                             SchemaOptions, EvalJsonpathOptions, EvalSqlOptions, EvalExprOptions,
                             DsnOptions, VersionOptions, GetOptions, OrderOptions, SendOptions,
                             TapOptions, TopOptions, ReplayOptions>;

}  // namespace millrace::runtime
