#include "connectors/sdk/connector.hpp"

#include "connectors/file/config.hpp"
#include "connectors/file/source.hpp"
#include "connectors/file/step.hpp"

#include <array>
#include <memory>
#include <utility>

namespace millrace::file {
namespace {

sdk::SourceFactory make_source(sdk::ConfigReader& in) {
  auto config = std::make_shared<ReadConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing())
    return {};
  return [config = std::shared_ptr<const ReadConfig>{std::move(config)}] {
    return std::make_unique<FileSource>(config);
  };
}

sdk::StepFactory make_step(sdk::ConfigReader& in) {
  auto shared = std::make_shared<SharedWrite>();
  read_config(in, shared->config);
  if (!in.finish() || in.is_describing())
    return {};
  return [shared = std::move(shared)] { return std::make_unique<FileStep>(shared); };
}

constexpr std::array operations{
  sdk::Operation{.name = "read",
                 .doc = "Reads the records of files; each file is a lane",
                 .source = &make_source,
                 .rereads = true,
                 .guarantee = "a new run reads the files from their start"},
  sdk::Operation{
    .name = "write",
    .doc = "Writes one line per record",
    .step = &make_step,
    .effects = sdk::Effects::external,
    .guarantee =
      "a record is done when its whole line was handed to the system; mode 'whole' shows "
      "the file at the end of the run or not at all, so a killed run loses it"},
};

}  // namespace

extern const sdk::Connector connector;
constinit const sdk::Connector connector{.name = "file",
                                         .doc = "Files of JSON lines, csv or text, plain or gzip",
                                         .operations = operations};

}  // namespace millrace::file
