#include "connectors/sdk/connector.hpp"

#include "connectors/generate/config.hpp"
#include "connectors/generate/source.hpp"

#include <array>
#include <memory>
#include <utility>

namespace millrace::generate {
namespace {

class DropStep final : public sdk::Step {
public:
  void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }
};

sdk::SourceFactory make_generate(sdk::ConfigReader& in) {
  auto config = std::make_shared<GenerateConfig>();
  read_config(in, *config);
  if (!in.finish() || in.is_describing())
    return {};
  return [config = std::shared_ptr<const GenerateConfig>{std::move(config)}] {
    return std::make_unique<GenerateSource>(config);
  };
}

sdk::StepFactory make_drop(sdk::ConfigReader& in) {
  if (!in.finish() || in.is_describing())
    return {};
  return [] { return std::make_unique<DropStep>(); };
}

constexpr std::array generate_operations{
  sdk::Operation{.name = "",
                 .doc = "Makes records, for trials and benchmarks",
                 .source = &make_generate,
                 .guarantee = "counts from the start again in each run"},
};

constexpr std::array drop_operations{
  sdk::Operation{.name = "",
                 .doc = "Swallows every record: it is delivered, to nowhere",
                 .step = &make_drop,
                 .effects = sdk::Effects::none},
};

}  // namespace

extern const sdk::Connector generate_connector;
constinit const sdk::Connector generate_connector{
  .name = "generate", .doc = "Records made up on the spot", .operations = generate_operations};

extern const sdk::Connector drop_connector;
constinit const sdk::Connector drop_connector{
  .name = "drop", .doc = "A sink that keeps nothing", .operations = drop_operations};

}  // namespace millrace::generate
