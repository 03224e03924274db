#include "actors/steps/transform.hpp"
#include "connectors/sdk/json.hpp"

#include <gtest/gtest.h>

namespace millrace::actors {
namespace {

using sdk::Value;

/// Gives what a slot holds.
class SlotExpression final : public sdk::Expression {
public:
  explicit SlotExpression(sdk::Slot slot) : slot_{slot} {}

  sdk::Result<Value> evaluate(const sdk::Scope& scope) const override {
    return scope.record->get(slot_);
  }

  std::string text() const override { return "$.slot"; }

private:
  sdk::Slot slot_;
};

class TransformTest : public testing::Test {
protected:
  static sdk::ExpressionPtr slot(sdk::Slot number) {
    return std::make_shared<SlotExpression>(number);
  }

  std::string run() const {
    const auto out = transform(spec, record);
    return out ? sdk::to_json(*out) : out.error().to_string();
  }

  dsl::Transform spec;
  sdk::Record record;
};

TEST_F(TransformTest, BuildsAnObjectFromItsSet) {
  record.set(0, 7);
  record.set(1, "x");
  spec.set = {{"a", slot(0)}, {"b", slot(1)}, {"c", slot(9)}};
  EXPECT_EQ(run(), R"({"a":7,"b":"x","c":null})");
}

TEST_F(TransformTest, SetsOverWhatItStartsFromAndLeavesThatAlone) {
  record.set(0, Value::object({{"a", 1}, {"b", 2}}));
  record.set(1, 3);
  spec.from = slot(0);
  spec.set = {{"b", slot(1)}};
  EXPECT_EQ(run(), R"({"a":1,"b":3})");
  EXPECT_EQ(sdk::to_json(record.get(0)), R"({"a":1,"b":2})");
}

TEST_F(TransformTest, PicksThenDropsThenRenames) {
  record.set(0, Value::object({{"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}}));
  spec.from = slot(0);
  spec.pick = {"c", "b", "a", "nothing"};
  spec.drop = {"b"};
  spec.rename = {{"a", "first"}};
  EXPECT_EQ(run(), R"({"c":3,"first":1})");
}

TEST_F(TransformTest, SwapsTwoNames) {
  record.set(0, Value::object({{"a", 1}, {"b", 2}}));
  spec.from = slot(0);
  spec.rename = {{"a", "b"}, {"b", "a"}};
  EXPECT_EQ(run(), R"({"b":1,"a":2})");
}

TEST_F(TransformTest, RefusesARenameThatWouldOverwrite) {
  record.set(0, Value::object({{"a", 1}, {"b", 2}}));
  spec.from = slot(0);
  spec.rename = {{"a", "b"}};
  EXPECT_EQ(run(), "data: rename gives two members the name 'b'; drop one of them first");
}

TEST_F(TransformTest, HandsAnythingOnWhereNoMemberIsAskedOf) {
  record.set(0, Value::array({1, 2}));
  spec.from = slot(0);
  EXPECT_EQ(run(), "[1,2]");
}

TEST_F(TransformTest, SaysWhatItStartsFromWhenThatIsNoObject) {
  record.set(0, 5);
  spec.from = slot(0);
  spec.drop = {"a"};
  EXPECT_EQ(run(), "data: transform wants an object to start from, and $.slot is integer; name one "
                   "with 'from:', or build it "
                   "with 'set:'");
}

}  // namespace
}  // namespace millrace::actors
