#include "connectors/postgres/binary.hpp"
#include "connectors/postgres/binary_read.hpp"
#include "connectors/sdk/json.hpp"

#include <gtest/gtest.h>

#include <random>

namespace millrace::postgres {
namespace {

using sdk::Value;

// What the bytes are as JSON, or that they are none of that type.
std::string read(std::string_view bytes, Oid type) {
  Value value;
  return binary_reader(type)(bytes, *find_type(type), value) ? sdk::to_json(value) : "refused";
}

std::string network(std::initializer_list<std::int16_t> numbers) {
  std::string bytes;
  for (const auto number : numbers)
    append_integer(bytes, number);
  return bytes;
}

TEST(BinaryReadTest, KnowsTypesWhoseTextItCanWrite) {
  for (const Oid type :
       {16,   17,   19,   20,   21,   23,   25,   26,   114,  700,  701,  1042, 1043, 1082,
        1083, 1114, 1184, 1186, 1266, 1700, 2278, 2950, 3802, 1007, 1009, 1185, 3807})
    EXPECT_NE(binary_reader(type), nullptr) << type;
  for (const Oid type : {18, 22, 600, 790, 869, 1020, 2205, 2249, 3904, 16'500})
    EXPECT_EQ(binary_reader(type), nullptr) << type;
  EXPECT_TRUE(has_style(1184));
  EXPECT_TRUE(has_style(1182));
  EXPECT_FALSE(has_style(1083));
  EXPECT_FALSE(has_style(25));
}

TEST(BinaryReadTest, RefusesBytesThatAreNoneOfTheType) {
  for (const Oid type :
       {16, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950, 1007, 3802}) {
    EXPECT_EQ(read("", type), "refused") << type;
    EXPECT_EQ(read("abc", type), "refused") << type;
    EXPECT_EQ(read(std::string(40, '\xff'), type), "refused") << type;
  }
  EXPECT_EQ(read(network({1, 0, 0, 0, 10'000}), 1700), "refused") << "no digit of base 10,000";
  EXPECT_EQ(read(network({1, 0, 0x1234, 0, 1}), 1700), "refused") << "no sign";
  // One dimension of a length that cannot be.
  EXPECT_EQ(read(network({0, 1, 0, 0, 0, 23, 0x7fff, 0, 0, 1}), 1007), "refused");
  EXPECT_EQ(read(network({0, 7, 0, 0, 0, 23}), 1007), "refused") << "seven dimensions";
}

TEST(BinaryReadTest, NeverReadsBeyondTheEndOfBytesMadeAtRandom) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  for (int round = 0; round < 20'000; ++round) {
    // A block of its own, so that a sanitizer sees its end.
    std::vector<char> bytes(random() % 40);
    for (auto& byte : bytes)
      byte = static_cast<char>(random() % 3 == 0 ? random() : random() % 3);
    for (const Oid type : {16, 17, 20, 700, 1082, 1083, 1184, 1186, 1266, 1700, 2950, 1007, 1231}) {
      Value value;
      static_cast<void>(binary_reader(type)({bytes.data(), bytes.size()}, *find_type(type), value));
    }
  }
}

TEST(BinaryReadTest, ReadsNumericsWithTheirScale) {
  EXPECT_EQ(read(network({0, 0, 0, 0}), 1700), "0");
  EXPECT_EQ(read(network({0, 0, 0, 3}), 1700), "0.000");
  EXPECT_EQ(read(network({2, 0, 0x4000, 2, 1, 1000}), 1700), "-1.10");
  EXPECT_EQ(read(network({1, 2, 0, 0, 5}), 1700), "500000000");
  EXPECT_EQ(read(network({1, -2, 0, 8, 1}), 1700), "0.00000001");
}

}  // namespace
}  // namespace millrace::postgres
