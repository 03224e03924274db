#include "connectors/sdk/connector.hpp"

#include "connectors/timer/config.hpp"
#include "connectors/timer/source.hpp"

#include <array>
#include <memory>
#include <string_view>
#include <utility>

namespace millrace::timer {
namespace {

sdk::SourceFactory make_source(sdk::ConfigReader& in) {
  auto config = std::make_shared<TimerConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing())
    return {};
  return [config = std::shared_ptr<const TimerConfig>{std::move(config)}] {
    return std::make_unique<TimerSource>(config);
  };
}

constexpr std::string_view guarantee =
  "ticks that fall due while the process is down or too busy are not made up for";

// One reader for both: `{type: timer, cron: …}` says enough without an operation.
constexpr std::array operations{
  sdk::Operation{.name = "every",
                 .doc = "A record every so often",
                 .source = &make_source,
                 .guarantee = guarantee},
  sdk::Operation{.name = "cron",
                 .doc = "A record whenever a cron schedule says so",
                 .source = &make_source,
                 .guarantee = guarantee},
};

}  // namespace

extern const sdk::Connector connector;
constinit const sdk::Connector connector{
  .name = "timer", .doc = "Records made by the clock", .operations = operations};

}  // namespace millrace::timer
