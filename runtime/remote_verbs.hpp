// The verbs that ask a running process: get, tap, top, send, replay, pause, resume, reload.
#pragma once

#include "runtime/options.hpp"

#include <optional>
#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): CLI11 calls it so
class App;
}

namespace millrace::runtime {

/// What they fill must live as long as the parser does.
class RemoteVerbs {
public:
  void add(CLI::App& app);

  /// @returns nothing for a verb that is none of these.
  std::optional<Command> command(const std::string& verb) const;

private:
  GetOptions get_;
  OrderOptions pause_{.admin = {}, .order = "pause", .pipeline = {}};
  OrderOptions resume_{.admin = {}, .order = "resume", .pipeline = {}};
  OrderOptions reload_{.admin = {}, .order = "reload", .pipeline = {}};
  SendOptions send_;
  TapOptions tap_;
  TopOptions top_;
  ReplayOptions replay_;
};

}  // namespace millrace::runtime
