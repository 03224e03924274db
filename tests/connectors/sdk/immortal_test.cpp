#include "connectors/sdk/immortal.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace millrace::sdk {
namespace {

TEST(ImmortalTest, IsMadeOfWhatItIsGiven) {
  Immortal<std::string> text{std::size_t{3}, 'x'};
  EXPECT_EQ(*text, "xxx");
  text->push_back('y');
  EXPECT_EQ(text->size(), 4U);
  const Immortal<std::string> empty;
  EXPECT_TRUE(empty->empty());
}

TEST(ImmortalTest, IsNeverDestroyed) {
  auto held = std::make_unique<int>(1);
  bool destroyed = false;
  const auto note = [&destroyed](int*) { destroyed = true; };
  using Noted = std::unique_ptr<int, decltype(note)>;
  { const Immortal<Noted> forever{held.get(), note}; }
  EXPECT_FALSE(destroyed);
  { const Noted mortal{held.get(), note}; }
  EXPECT_TRUE(destroyed);
}

}  // namespace
}  // namespace millrace::sdk
