// FileWriteTest: makes `type: file, operation: write` steps as the compiler would, in a directory
// of the test's own.
#pragma once

#include "connectors/file/gzip.hpp"
#include "connectors/sdk/connector.hpp"
#include "support/fake_step.hpp"
#include "support/make_connector.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

namespace millrace::file {
extern const sdk::Connector connector;

inline std::string gunzip(std::string_view packed) {
  GzipReader reader;
  reader.feed(packed);
  std::string plain(1 << 20, '\0');
  std::string all;
  while (true) {
    const auto count = reader.read(plain);
    EXPECT_TRUE(count);
    if (!count || *count == 0)
      break;
    all.append(plain, 0, *count);
  }
  EXPECT_TRUE(reader.whole());
  return all;
}

class FileWriteTest : public ::testing::Test {
protected:
  sdk::StepFactory factory(test::Options options) {
    sdk::Diagnostics diagnostics;
    auto made = test::step_factory(connector, "write", std::move(options), diagnostics);
    EXPECT_TRUE(made) << diagnostics.to_string();
    return made;
  }

  test::Scratch scratch;
};

}  // namespace millrace::file
