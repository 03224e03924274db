// Objects and arrays that share their payload behave like plain copies: random changes against a
// simple model.
#include "connectors/sdk/value.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace millrace::sdk {

namespace {

using ObjectModel = std::vector<std::pair<std::string, std::int64_t>>;

auto find_in(ObjectModel& model, const std::string& name) {
  return std::find_if(model.begin(), model.end(),
                      [&](const auto& member) { return member.first == name; });
}

bool same(const Value& object, const ObjectModel& model) {
  const auto members = object.members();
  return std::equal(members.begin(), members.end(), model.begin(), model.end(),
                    [](const Member& member, const auto& expected) {
                      return member.name.as_string() == expected.first
                             && member.value.as_integer() == expected.second;
                    });
}

TEST(ValueModelTest, SharedObjectsBehaveLikePlainCopies) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  std::array<Value, 4> objects{Value::object(), Value::object(), Value::object(), Value::object()};
  std::array<ObjectModel, 4> models;
  for (int i = 0; i < 50'000; ++i) {
    // Up to 40 names, short and long, around the size from which objects are indexed.
    const auto number = random() % 40;
    const auto name = (number % 3 == 0 ? "a-name-that-is-long-" : "n") + std::to_string(number);
    const auto at = random() % objects.size();
    auto& object = objects[at];
    auto& model = models[at];
    const auto found = find_in(model, name);
    switch (random() % 8) {
    case 0: {
      const auto other = random() % objects.size();
      objects[other] = object;
      models[other] = ObjectModel{model};
      continue;
    }
    case 1:
    case 2:
      ASSERT_EQ(object.erase(name), found != model.end());
      if (found != model.end())
        model.erase(found);
      break;
    case 3:
      if (found != model.end()) {
        object.mutable_member(name) = i;
        found->second = i;
      }
      break;
    default:
      object.set(name, i);
      if (found != model.end())
        found->second = i;
      else
        model.emplace_back(name, i);
    }
    for (std::size_t k = 0; k < objects.size(); ++k)
      ASSERT_TRUE(same(objects[k], models[k])) << "after change " << i;
    const auto* value = object.find(name);
    const auto again = find_in(model, name);
    ASSERT_EQ(value != nullptr, again != model.end());
    ASSERT_EQ(object.find_named(Value{name}), value);
  }
}

TEST(ValueModelTest, SharedArraysBehaveLikePlainCopies) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  std::array<Value, 3> arrays{Value::array(), Value::array(), Value::array()};
  std::array<std::vector<std::int64_t>, 3> models;
  for (int i = 0; i < 50'000; ++i) {
    const auto at = random() % arrays.size();
    const auto other = random() % arrays.size();
    const auto size = models[at].size();
    switch (random() % 5) {
    case 0:
      arrays[other] = arrays[at];
      models[other] = models[at];
      break;
    case 1:
      if (size != 0) {
        const auto index = random() % size;
        arrays[at].mutable_item(index) = i;
        models[at][index] = i;
      }
      break;
    case 2:
      if (size > 20) {
        arrays[at] = Value::array();
        models[at].clear();
      }
      break;
    default:
      arrays[at].push_back(i);
      models[at].push_back(i);
    }
    for (std::size_t k = 0; k < arrays.size(); ++k) {
      const auto items = arrays[k].items();
      ASSERT_TRUE(
        std::equal(items.begin(), items.end(), models[k].begin(), models[k].end(),
                   [](const Value& item, auto expected) { return item.as_integer() == expected; }));
    }
  }
}

}  // namespace

}  // namespace millrace::sdk
