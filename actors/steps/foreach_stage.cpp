// foreach with `collect`: the items of an array go through nested steps, and their results become
// an array in the same order. Items dropped on purpose are left out.
#include "actors/steps/item_list.hpp"
#include "actors/steps/part_stage.hpp"
#include "actors/steps/stages.hpp"

#include <utility>

namespace millrace::actors {

namespace {

class ForeachStage final : public PartStage {
public:
  ForeachStage(const dsl::StepProgram& step, const dsl::Foreach& body)
    : PartStage{step}, body_{body} {}

private:
  std::size_t branches() const override { return 1; }

  sdk::Result<sdk::Value> cut(const sdk::Record& whole) override {
    return item_list(*body_.in, whole);
  }

  std::size_t make_part(const sdk::Value& from, std::uint32_t, sdk::Record& part) override {
    part.set(body_.item, from);
    return 0;
  }

  sdk::Result<sdk::Value> value_of(std::size_t, const sdk::Record& part) override {
    return body_.collect->evaluate({.record = &part});
  }

  sdk::Value join(Values values) override {
    auto out = sdk::Value::array();
    out.reserve(values.size());
    for (auto& value : values) {
      if (value)
        out.push_back(std::move(*value));
    }
    return out;
  }

  const dsl::Foreach& body_;
};

}  // namespace

StagePtr make_foreach_stage(const dsl::StepProgram& step, const dsl::Foreach& body) {
  return std::make_unique<ForeachStage>(step, body);
}

}  // namespace millrace::actors
