// CoordinationFixture: a test on the PostgreSQL that the tests share, without coordination tables
// in this process' schema.
#pragma once

#include "tests/actors/db/postgres_fixture.hpp"

#include <string>

namespace millrace::actors::cluster {

class CoordinationFixture : public PostgresTest {
protected:
  void prepare() override {
    open();
    make_schema(*pool_);
    for (const auto* table :
         {"millrace_leases", "millrace_nodes", "millrace_offers", "millrace_clusters"})
      ASSERT_TRUE(pool_->run(std::string{"DROP TABLE IF EXISTS "} + table));
  }
};

}  // namespace millrace::actors::cluster
