#include "connectors/sdk/number.hpp"

#include <gtest/gtest.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace millrace::sdk {

namespace {

std::string written(double value) {
  std::array<char, max_double_size> buffer{};
  return {buffer.data(), write_double(buffer.data(), value)};
}

TEST(NumberTest, TellsWhichKindKeepsTheDigits) {
  struct Case {
    std::string_view text;
    ValueKind kind;
  };

  for (const auto& [text, kind] : {
         Case{"0", ValueKind::integer},
         Case{"-1", ValueKind::integer},
         Case{"9223372036854775807", ValueKind::integer},
         Case{"-9223372036854775808", ValueKind::integer},
         Case{"9223372036854775808", ValueKind::decimal},
         Case{"-9223372036854775809", ValueKind::decimal},
         Case{"18446744073709551616", ValueKind::decimal},
         Case{"12345678901234567890", ValueKind::decimal},
         Case{"99999999999999999999999999", ValueKind::decimal},
         Case{"-0", ValueKind::real},
         Case{"-0.0", ValueKind::decimal},
         Case{"0.0", ValueKind::decimal},
         Case{"1.0", ValueKind::decimal},
         Case{"1.10", ValueKind::decimal},
         Case{"1.1", ValueKind::real},
         Case{"-1.5", ValueKind::real},
         Case{"0.1", ValueKind::real},
         Case{"0.000001", ValueKind::real},
         Case{"0.0000001", ValueKind::decimal},
         Case{"0.000001234567890123", ValueKind::real},
         Case{"0.00000123456789012345678", ValueKind::decimal},
         Case{"0.1000000000000000055511151231257827", ValueKind::decimal},
         Case{"123456789012.345", ValueKind::real},
         Case{"1234567890123.456", ValueKind::decimal},
         Case{"123456789012345.6", ValueKind::decimal},
         Case{"1e5", ValueKind::decimal},
         Case{"1E+5", ValueKind::decimal},
         Case{"1.5e-5", ValueKind::decimal},
         Case{"1e400", ValueKind::decimal},
         Case{"0e0", ValueKind::decimal},
         Case{"123456789012345678901234567890.5", ValueKind::decimal},
       })
    EXPECT_EQ(read_number(text).kind, kind) << text;
}

TEST(NumberTest, RefusesWhatIsNoJsonNumber) {
  for (const std::string_view text :
       {"",     "-",        "+1",        "01",  "-01",   "00",    ".5",   "-.5",   "1.",
        "1.e5", "1e",       "1e+",       "1e-", "1.5.5", "1e5.5", "0x10", "1_000", "1,000",
        "NaN",  "Infinity", "-Infinity", "1 ",  " 1",    "--1",   "1-",   "1e5e5", "1a"})
    EXPECT_EQ(read_number(text).kind, ValueKind::null) << text;
}

TEST(NumberTest, WritesTheSmallestDigits) {
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(-0.0), "-0");
  EXPECT_EQ(written(0.0), "0");
  EXPECT_EQ(written(1.0), "1");
  EXPECT_EQ(written(100000), "100000");
  EXPECT_EQ(written(1e18), "1000000000000000000");
  EXPECT_EQ(written(9007199254740993.0), "9007199254740992");
  EXPECT_EQ(written(9223372036854775808.0), "9.223372036854776e+18");
  EXPECT_EQ(written(1e-6), "0.000001");
  EXPECT_EQ(written(1e-7), "1e-07");
  EXPECT_EQ(written(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(written(123456.789), "123456.789");
  EXPECT_EQ(written(-2.5), "-2.5");
  EXPECT_EQ(written(1.0000001), "1.0000001");
  EXPECT_EQ(written(4503599627370495.5), "4503599627370495.5");
  EXPECT_EQ(written(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(written(std::numeric_limits<double>::denorm_min()), "5e-324");
}

/// Any bits, and the decimals of few places that people write.
double random_double(std::mt19937_64& random) {
  for (;;) {
    if (random() % 2 == 0) {
      const double real = std::bit_cast<double>(random());
      if (std::isfinite(real))
        return real;
      continue;
    }
    const auto digits = static_cast<double>(random() % 10'000'000'000);
    return digits / std::pow(10.0, static_cast<double>(random() % 12));
  }
}

TEST(NumberTest, WritesEveryDoubleSoThatItReadsBackAndNoShorterTextDoes) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int i = 0; i < 200'000; ++i) {
    const auto value = random_double(random);
    const auto text = written(value);
    ASSERT_LE(text.size(), max_double_size);
    ASSERT_NE(read_number(text).kind, ValueKind::null) << text;
    ASSERT_EQ(nearest_double(text), value) << text;
    std::array<char, 400> shortest{};
    const auto end = std::to_chars(shortest.data(), shortest.data() + shortest.size(), value,
                                   std::chars_format::fixed)
                       .ptr;
    if (text.find('e') == std::string::npos) {
      ASSERT_EQ(text, (std::string{shortest.data(), end}));
    }
  }
}

TEST(NumberTest, ReadsAsARealOnlyWhatIsWrittenTheSame) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  int reals = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random() % 2 ? "-" : "";
    text += std::to_string(random() % static_cast<std::uint64_t>(std::pow(10, random() % 12)));
    text.push_back('.');
    for (auto places = random() % 10; places > 0; --places)
      text.push_back(static_cast<char>('0' + random() % 10));
    text.push_back(static_cast<char>('0' + random() % 10));
    const auto number = read_number(text);
    ASSERT_TRUE(number.kind == ValueKind::real || number.kind == ValueKind::decimal) << text;
    if (number.kind == ValueKind::real) {
      ++reals;
      ASSERT_EQ(written(number.real), text);
      ASSERT_EQ(number.real, std::stod(text));
    }
  }
  EXPECT_GT(reals, 10'000);
}

TEST(NumberTest, RoundsADecimalToTheNearestDouble) {
  EXPECT_EQ(nearest_double("0.10"), 0.1);
  EXPECT_EQ(nearest_double("1e400"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(nearest_double("-1e400"), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(nearest_double("1e-400"), 0.0);
  EXPECT_TRUE(std::signbit(nearest_double("-1e-400")));
  EXPECT_EQ(nearest_double("1e99999999999999999999"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(nearest_double("1e-99999999999999999999"), 0.0);
  EXPECT_EQ(nearest_double("0e99999999999999999999"), 0.0);
  EXPECT_EQ(nearest_double("12345678901234567890"), 12345678901234567890.0);
}

}  // namespace

}  // namespace millrace::sdk
