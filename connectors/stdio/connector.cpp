#include "connectors/sdk/connector.hpp"

#include "connectors/stdio/config.hpp"
#include "connectors/stdio/source.hpp"
#include "connectors/stdio/step.hpp"

#include <array>
#include <memory>
#include <utility>

namespace millrace::stdio {
namespace {

sdk::SourceFactory make_stdin(sdk::ConfigReader& in) {
  auto format = std::make_shared<sdk::ReadFormat>();
  sdk::read_format(in, *format);
  if (!in.finish() || in.is_describing())
    return {};
  return [format = std::shared_ptr<const sdk::ReadFormat>{std::move(format)}] {
    return std::make_unique<StdinSource>(format);
  };
}

sdk::StepFactory make_stdout(sdk::ConfigReader& in) {
  auto config = std::make_shared<StdoutConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing())
    return {};
  return [config = std::shared_ptr<const StdoutConfig>{std::move(config)}] {
    return std::make_unique<StdoutStep>(config);
  };
}

constexpr std::array stdin_operations{
  sdk::Operation{
    .name = "",
    .doc = "Reads records as they come, until the other end closes",
    .source = &make_stdin,
    .guarantee = "what was read is kept in memory until it has settled; it is gone when "
                 "the process dies"},
};

constexpr std::array stdout_operations{
  sdk::Operation{.name = "",
                 .doc = "Writes one line per record",
                 .step = &make_stdout,
                 .effects = sdk::Effects::external,
                 .guarantee = "a record is done when whoever reads the output could have its line"},
};

}  // namespace

extern const sdk::Connector stdin_connector;
constinit const sdk::Connector stdin_connector{
  .name = "stdin", .doc = "Records from standard input", .operations = stdin_operations};

extern const sdk::Connector stdout_connector;
constinit const sdk::Connector stdout_connector{.name = "stdout",
                                                .doc = "Records to standard output, as lines or as "
                                                       "a table",
                                                .operations = stdout_operations};

}  // namespace millrace::stdio
