// FileWriteTest: makes `type: file, operation: write` steps as the compiler would, in a directory
// of the test's own.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "support/fake_step.hpp"
#include "support/make_connector.hpp"
#include "support/scratch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace millrace::file {
extern const sdk::Connector connector;

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
