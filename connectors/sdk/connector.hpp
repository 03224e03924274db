// Connector: what one folder below connectors/ offers. It exports one constant:
//
//   extern const sdk::Connector connector{.name = "file", .doc = "…", .operations = operations};
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/server.hpp"
#include "connectors/sdk/source.hpp"
#include "connectors/sdk/step.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::sdk {

class DatabaseDriver;

/// What a step does to the world, which decides the guarantee that a pipeline has.
enum class Effects : std::uint8_t {
  none,        // only looks, or only changes the record
  repeatable,  // doing it again changes nothing more
  external,    // doing it again shows
};

/// One `operation` of a step type. Exactly one of `source` and `step` is set.
struct Operation {
  std::string_view name;  // "read"; empty where the type has a single, nameless one ("stdin")
  std::string_view doc;

  /// Reads the options (all mistakes at once, then `in.finish()`), and @returns what makes the
  /// source; empty after a mistake, and in describing mode.
  SourceFactory (*source)(ConfigReader& in) = nullptr;
  StepFactory (*step)(ConfigReader& in) = nullptr;

  bool has_output = false;  // of a step: it puts a result into each record's output slot

  Effects effects = Effects::none;
  bool rereads =
    false;  // of a source: what did not settle can be read again after the process died
  bool keeps_offsets = false;       // of a source: it may begin where SourceContext::offsets says
  bool answers = false;             // of a source: somebody waits for an answer to each record
  bool answering = false;           // of a step: it answers what a source of its connector took in
  std::string_view guarantee = {};  // one sentence for `explain`
};

struct Connector {
  std::string_view name;  // the step's `type`
  std::string_view doc;
  std::span<const Operation> operations;  // the first one is meant where a step names none
  const DatabaseDriver* (*database)() =
    nullptr;  // of a database driver; `name` is then the `driver`

  /// Of a connector whose steps talk to a server: reads the options of one whose `protocol` is the
  /// connector's name, then `in.finish()`. @returns null after a mistake, and in describing mode.
  ServerPtr (*server)(ConfigReader& in, const ServerInput& input) = nullptr;
  std::span<const SchemeType> schemes = {};  // that such a server takes
};

/// The connectors of this build, generated from connectors/CMakeLists.txt.
std::span<const Connector* const> built_in_connectors();

}  // namespace millrace::sdk
