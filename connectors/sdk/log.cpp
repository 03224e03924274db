#include "connectors/sdk/log.hpp"

#include "connectors/sdk/immortal.hpp"

namespace millrace::sdk {

namespace {

class SilentLog final : public Log {
public:
  bool enabled(LogLevel) const noexcept override { return false; }

  void write(LogLevel, std::string_view, std::span<const LogField>) noexcept override {}
};

}  // namespace

Log& silent_log() noexcept {
  static Immortal<SilentLog> log;
  return *log;
}

}  // namespace millrace::sdk
