// What the tests of loading share: one file in a fake world, loaded with the fake catalogue.
#pragma once

#include "dsl/document/fake_connectors.hpp"
#include "dsl/load.hpp"
#include "support/fake_environment.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace millrace::test {

inline dsl::LoadResult load_text(std::string text, FakeEnvironment world = {},
                                 dsl::LoadOptions options = {}) {
  world.files["orders.yaml"] = std::move(text);
  options.files = {"orders.yaml"};
  options.connectors = fake_connectors();
  options.environment = &world;
  return dsl::load(options);
}

/// The program of a file that must have no mistake.
inline std::shared_ptr<const dsl::Program> program_of(std::string text, FakeEnvironment world = {},
                                                      dsl::LoadOptions options = {}) {
  auto loaded = load_text(std::move(text), std::move(world), std::move(options));
  EXPECT_EQ(loaded.diagnostics.to_string(), "");
  EXPECT_NE(loaded.program, nullptr);
  return loaded.program ? loaded.program : std::make_shared<const dsl::Program>();
}

}  // namespace millrace::test
