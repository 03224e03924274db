#include "connectors/sdk/base64.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace millrace::sdk {
namespace {

TEST(Base64Test, WritesAndReadsWhatTheRfcShows) {  // RFC 4648, section 10
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64Test, ReadsBackEveryByteAtEveryPlace) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes;
    while (bytes.size() < size)
      bytes += static_cast<char>(random());
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64Test, RefusesWhatIsNone) {
  for (const auto* text : {"Z", "Zg=", "Zg", "Zg==Zg==", "Z===", "====", "=m9v", "Zm 9v", "Zm9v\n",
                           " Zm9v", "Zm9-", "Zm9_", "Zm=v", "\xc3\xa4m9v"})
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
}

}  // namespace
}  // namespace millrace::sdk
